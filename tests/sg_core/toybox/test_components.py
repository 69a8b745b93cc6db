# SPDX-License-Identifier: MIT
"""The parts of the model: words are tokens, latents mean something, the folder is one that diffusers loads."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline

from sg_core.toybox.autoencoder import latents_of, new_autoencoder
from sg_core.toybox.components import build_parts, build_tokenizer, latent_channels, load_parts
from sg_core.toybox.latents import CELL, LOOKS, LatentMap, fit_latent_map, load_latent_map, meaning, noun_codes
from sg_core.toybox.recipe import FULL, SHARP
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.compose import Pictures, compose
from sg_core.toybox.scenes.scene import Scene, SceneObject, draw_scene
from sg_core.toybox.training.judge import JUDGES, new_judge


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(SHARP.nouns)


@pytest.fixture(scope="module")
def codes() -> torch.Tensor:
    return noun_codes(len(SHARP.nouns), SHARP.code_width)


def shown(scenes: list[Scene], atlas: Atlas, codes: torch.Tensor) -> tuple[Pictures, torch.Tensor]:
    pictures = compose(scenes, atlas, 256, 256)
    return pictures, meaning(scenes, pictures, atlas, SHARP.nouns, codes)


def bus(atlas: Atlas, **changes: object) -> Scene:
    item = SceneObject("bus", atlas.of("bus")[0], None, False, 0.5, 0.5, 0.7, 0.7, **changes)  # type: ignore[arg-type]
    return Scene("meadow", 0.6, (0.5,) * 8, (item,), "")


def fitted(atlas: Atlas, codes: torch.Tensor) -> tuple[LatentMap, Pictures, torch.Tensor]:
    pictures, said = shown([draw_scene(seed, atlas, SHARP.vocabulary) for seed in range(24)], atlas, codes)
    return fit_latent_map(codes, said, pictures.rgb, SHARP.colours), pictures, said


def test_every_word_of_the_vocabulary_is_one_token_and_others_fall_apart(tmp_path):
    tokenizer = build_tokenizer(SHARP.vocabulary.words, 32, tmp_path)
    lengths = {word: len(tokenizer(word).input_ids) - 2 for word in SHARP.vocabulary.words}
    assert set(lengths.values()) == {1}
    assert set(json.loads((tmp_path / "words.json").read_text())) == set(SHARP.vocabulary.words) - {","}
    assert len(tokenizer("a zeppelin in 1926!").input_ids) > 6
    assert tokenizer.unk_token_id not in tokenizer("zeppelin").input_ids[1:-1]


def test_a_folder_s_tokenizer_is_kept(tmp_path):
    first, again = (build_parts(SHARP, tmp_path).tokens(["a red castle in the snow"]) for _ in range(2))
    assert torch.equal(first, again)
    before = json.loads((tmp_path / "tokenizer" / "vocab.json").read_text())
    build_tokenizer(SHARP.vocabulary.words, 32, tmp_path / "other")
    assert set(json.loads((tmp_path / "other" / "vocab.json").read_text())) == set(before)


def test_noun_codes_are_unit_vectors_far_apart(codes):
    assert torch.allclose(codes.norm(dim=1), torch.ones(len(codes)), atol=1e-5)
    assert (codes @ codes.T - 2 * torch.eye(len(codes))).max() < 0.35
    assert torch.equal(codes, noun_codes(len(SHARP.nouns), SHARP.code_width))


def test_a_cell_inside_a_thing_says_its_noun_its_place_and_that_it_is_full(atlas, codes):
    _, said = shown([bus(atlas)], atlas, codes)
    width = SHARP.code_width
    inside = said[0, -1] > 0.99
    assert 0.15 < inside.float().mean() < 0.5
    named = said[0, :width, inside].T @ codes.T
    assert set(named.argmax(1).tolist()) == {SHARP.nouns.index("bus")}
    across, down = said[0, width + LOOKS : width + LOOKS + 2]
    assert (across[8, 4:12].diff() > 0).all()
    assert (down[5:11, 8].diff() > 0).all()
    assert said[0, :, 0, 0].abs().max() == 0


def test_a_mirrored_thing_shows_the_same_parts_the_other_way(atlas, codes):
    plain, mirrored = (shown([bus(atlas, flip=flip)], atlas, codes)[1] for flip in (False, True))
    column = SHARP.code_width + LOOKS
    assert torch.allclose(mirrored[0, column].flip(-1), plain[0, column], atol=0.05)
    assert not torch.allclose(mirrored[0, column], plain[0, column], atol=0.05)


def test_a_pattern_changes_the_numbers_of_the_look_alone(atlas, codes):
    plain, dotted = (shown([bus(atlas, pattern=pattern)], atlas, codes)[1] for pattern in ("plain", "dots"))
    look = slice(SHARP.code_width, SHARP.code_width + LOOKS)
    assert (dotted - plain)[0, look].abs().max() > 1
    other = [k for k in range(plain.shape[1]) if not look.start <= k < look.stop]
    assert torch.equal(dotted[0, other], plain[0, other])


def test_latents_have_even_deviations_and_the_map_comes_back_as_saved(atlas, codes, tmp_path):
    latent_map, pictures, said = fitted(atlas, codes)
    latents = latent_map.encode(said, pictures.rgb)
    assert latents.shape == (24, latent_channels(SHARP), 16, 16) == (24, latent_map.channels, 16, 16)
    assert latents.square().mean().sqrt().item() == pytest.approx(1, abs=0.2)
    latent_map.save(tmp_path / "latents.safetensors")
    again = load_latent_map(tmp_path / "latents.safetensors")
    assert torch.equal(again.encode(said, pictures.rgb), latents)


def test_an_autoencoder_s_latents_have_no_spread():
    vae = new_autoencoder((8, 8, 8, 16, 16), 24, 256)
    rgb = torch.rand(1, 3, 64, 96)
    latents = latents_of(vae, rgb)
    assert latents.shape == (1, 24, 64 // CELL, 96 // CELL)
    drawn = vae.encode(rgb * 2 - 1).latent_dist.sample(torch.Generator().manual_seed(0))
    assert torch.allclose(drawn, latents, atol=1e-5)


def test_plain_diffusers_loads_a_saved_folder_and_paints_at_other_sides(tmp_path: Path):
    parts = build_parts(SHARP, tmp_path)
    parts.save(tmp_path)
    assert all(path.stat().st_size < 16_000_000 for path in tmp_path.rglob("*") if path.is_file())
    again = load_parts(tmp_path)
    assert torch.allclose(again.unet.conv_in.weight, parts.unet.conv_in.weight, atol=1e-3)
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    for width, height in ((128, 128), (144, 80)):
        painted = pipeline("a castle", width=width, height=height, num_inference_steps=1, output_type="pt").images
        assert painted.shape == (1, 3, height, width)


def test_sampling_begins_in_nearly_nothing_but_noise_however_few_the_steps(tmp_path: Path):
    scheduler = build_parts(SHARP, tmp_path).scheduler
    for count in (4, 30):
        scheduler.set_timesteps(count)
        kept = scheduler.alphas_cumprod[scheduler.timesteps[0]].sqrt()
        assert 0.005 < kept < 0.02


@pytest.mark.parametrize("recipe", [SHARP, FULL], ids=["sharp", "full"])
def test_a_model_and_its_judges_fit_into_45_megabytes(recipe, tmp_path):
    parts = build_parts(recipe, tmp_path)
    judges = [new_judge(recipe, architecture) for architecture, _ in JUDGES.values()]
    modules = (parts.unet, parts.vae, parts.text_encoder, *judges)
    assert sum(p.numel() * 2 for module in modules for p in module.parameters()) < 44_000_000
    words = parts.text_encoder(parts.tokens(["a castle"])).last_hidden_state
    for width, height, _ in recipe.buckets:
        latent = torch.randn(1, latent_channels(recipe), height // CELL, width // CELL)
        assert parts.unet(latent, 10, words).sample.shape == latent.shape
