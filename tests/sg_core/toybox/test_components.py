# SPDX-License-Identifier: MIT
"""The parts of the model: words are tokens, the encoder is what it claims, and training can stop and go on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from sg_core.models.cards import CARDS, read_card
from sg_core.toybox import train
from sg_core.toybox.autoencoder import new_autoencoder, principal_components, read_basis
from sg_core.toybox.components import build_parts, build_tokenizer, load_parts
from sg_core.toybox.judge import load_judge
from sg_core.toybox.recipe import FALLBACK, FULL, RECIPES
from sg_core.toybox.scenes.atlas import load_atlas
from sg_core.toybox.training.judge import JUDGES, new_judge
from sg_core.toybox.training.optimise import SHARD_BYTES, Learner, shards
from sg_core.toybox.training.stream import TEST_SEEDS, stream

TINY = replace(
    FALLBACK,
    name="tiny",
    denoiser_channels=(16, 32),
    heads=2,
    text_width=32,
    decoder_width=8,
    judge_width=8,
    scenes=64,
    batch=8,
    minutes=(0.06, 0.02, 0.02, 0.02),
)


def pictures(count: int = 16) -> torch.Tensor:
    square = replace(FALLBACK, buckets=(FALLBACK.buckets[0],))
    return next(stream(square, load_atlas(FALLBACK.nouns), TEST_SEEDS, count)).pictures.rgb


def test_every_word_of_the_vocabulary_is_one_token(tmp_path):
    tokenizer = build_tokenizer(FALLBACK.vocabulary.words, 32, tmp_path)
    lengths = {word: len(tokenizer(word).input_ids) - 2 for word in FALLBACK.vocabulary.words}
    assert set(lengths.values()) == {1}
    assert set(json.loads((tmp_path / "words.json").read_text())) == set(FALLBACK.vocabulary.words) - {","}
    assert len(tokenizer("a zeppelin in 1926!").input_ids) > 6
    assert tokenizer.unk_token_id not in tokenizer("zeppelin").input_ids[1:-1]


def test_the_encoder_s_convolutions_are_the_principal_components():
    rgb = pictures()
    basis = principal_components([rgb], 12)
    vae = new_autoencoder(basis, 8)
    assert torch.allclose(vae.encode(rgb * 2 - 1).latents, basis.encode(rgb), atol=1e-4)
    assert torch.equal(read_basis(vae).kernels, basis.kernels)
    error = (basis.decode(basis.encode(rgb)) - rgb).square().mean()
    assert -10 * error.log10() > 25
    assert basis.encode(rgb).std().item() == pytest.approx(1, abs=0.1)


def test_components_come_in_order_and_are_orthogonal():
    basis = principal_components([pictures()], 6)
    flat = basis.kernels.flatten(1)
    grams = flat @ flat.T
    assert torch.allclose(grams, torch.diag(grams.diagonal()), atol=1e-4 * grams.max().item())
    assert (basis.encode(pictures()).std((0, 2, 3)).diff() < 0.05).all()


def test_training_leaves_a_stable_diffusion_folder_and_goes_on_from_there(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(RECIPES, "tiny", TINY)
    flags = ["--recipe", "tiny", "--folder", str(tmp_path), "--minutes"]
    assert train.main([*flags, "0.001"]) == 0
    first = load_parts(tmp_path / "model").unet.conv_in.weight.clone()
    assert not (tmp_path / "judge-state").exists()
    assert train.main([*flags, "1"]) == 0
    assert not torch.equal(first, load_parts(tmp_path / "model").unet.conv_in.weight)
    assert {load_judge(tmp_path / "model" / name).architecture for name in JUDGES} == {"nested", "dilated"}
    card, like = read_card(tmp_path / "model"), CARDS["toybox"]
    assert (card.scale, card.strength, card.layers) == (like.scale, like.strength, like.layers)
    assert card.nouns == TINY.nouns
    with Image.open(max(tmp_path.glob("samples-*.png"))) as sheet:
        assert sheet.size == (512, 512)
    assert all(path.stat().st_size < 16_000_000 for path in tmp_path.rglob("*") if path.is_file())
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path / "model", local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    shown = pipeline("a castle", width=64, height=96, num_inference_steps=2, output_type="pt").images
    assert shown.shape == (1, 3, 96, 64)


def test_a_learner_resumes_without_the_optimisers_moments(tmp_path):
    def problem() -> tuple[Learner, torch.nn.Linear]:
        torch.manual_seed(0)
        layer = torch.nn.Linear(8, 8)
        return Learner({"layer": layer}, 1e-2), layer

    target, given = torch.randn(8, 8), torch.randn(64, 8)
    learner, layer = problem()

    def loss() -> torch.Tensor:
        return (layer(given.to(learner.precision)).float() - given @ target).square().mean()

    before = loss().item()
    for _ in range(30):
        learner.step(loss(), 0.0)
    learner.save(tmp_path)
    middle = loss().item()
    learner, layer = problem()
    assert learner.resume(tmp_path)
    assert learner.steps == 30
    assert loss().item() == pytest.approx(middle, rel=0.05)
    for _ in range(60):
        learner.step(loss(), 0.0)
    assert loss().item() < middle < before


def test_shards_stay_under_their_limit():
    tensors = [(str(k), torch.zeros(3_000_000, dtype=torch.float16)) for k in range(7)]
    groups = shards(tensors)
    assert [name for group in groups for name in group] == [name for name, _ in tensors]
    assert all(sum(t.nbytes for t in group.values()) <= SHARD_BYTES for group in groups)


def test_the_gpu_recipe_builds_and_fits_into_45_megabytes(tmp_path):
    parts = build_parts(FULL, principal_components([pictures()], FULL.latent_channels), tmp_path)
    judges = [new_judge(FULL, architecture) for architecture, _ in JUDGES.values()]
    modules = (parts.unet, parts.vae, parts.text_encoder, *judges)
    assert sum(p.numel() * 2 for module in modules for p in module.parameters()) < 44_000_000
    words = parts.text_encoder(parts.tokens(["a castle"])).last_hidden_state
    for width, height, _ in FULL.buckets:
        latent = torch.randn(1, FULL.latent_channels, height // 8, width // 8)
        assert parts.unet(latent, 10, words).sample.shape == latent.shape
