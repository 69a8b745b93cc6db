# SPDX-License-Identifier: MIT
"""The weights that ship, trained further: what they are given and told, and the folder that is left."""

import io
import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from diffusers import StableDiffusionPipeline
from torch import Tensor

from sg_core.toybox import train
from sg_core.toybox.autoencoder import latents_of
from sg_core.toybox.components import load_parts
from sg_core.toybox.enlarging import enlarging_course, frozen_model, scene_cache
from sg_core.toybox.enlarging.decoder_lesson import EnlargingTraining, less_steep, steepness
from sg_core.toybox.enlarging.enlarging_course import OF_REVISION, TRAINED, EnlargingCourse, begin_enlarging
from sg_core.toybox.enlarging.frozen_model import FrozenModel, sampler_times
from sg_core.toybox.enlarging.patch_basis import emphasis
from sg_core.toybox.enlarging.scene_cache import CHUNK, SceneCache
from sg_core.toybox.recipe import CRISP, RECIPES, Lesson
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.scene import draw_scene
from sg_core.toybox.segmenter import load_judge
from sg_core.toybox.training import sprint
from sg_core.toybox.training.milestone import WEIGHTS
from sg_core.toybox.training.turns import furthest_behind, save_fresh

TINY_PICTURES = replace(
    CRISP,
    name="tiny-pictures",
    buckets=((64, 64, 0.7), (96, 64, 0.3)),
    scenes=64,
    hours=1,
    lessons={name: replace(lesson, batch=4) for name, lesson in CRISP.lessons.items()},
)

ONE_SIZE = replace(TINY_PICTURES, buckets=((64, 64, 1.0),))


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(CRISP.nouns)


@pytest.fixture(scope="module")
def model() -> FrozenModel:
    return FrozenModel(load_parts(WEIGHTS))


@pytest.fixture
def few_scenes(monkeypatch, atlas) -> None:
    monkeypatch.setattr(enlarging_course, "load_atlas", lambda nouns: atlas)  # unpacked once
    monkeypatch.setattr(enlarging_course, "FIRST_SCENES", 16)
    monkeypatch.setattr(enlarging_course, "CACHED", 2 * CHUNK)
    monkeypatch.setitem(RECIPES, "tiny-pictures", TINY_PICTURES)


def pictures(atlas: Atlas, width: int, height: int) -> Tensor:
    return compose([draw_scene(seed, atlas, CRISP.vocabulary) for seed in range(4)], atlas, width, height).rgb


def after_one_step(course: EnlargingCourse, name: str) -> str:
    return course.turn(name, lambda: True)


def test_the_linear_map_is_the_encoder_that_ships(atlas, model):
    for width, height in ((256, 256), (192, 320)):
        rgb = pictures(atlas, width, height)
        with torch.no_grad():
            latents = latents_of(model.parts.vae, rgb)
        assert model.basis.encode(rgb).shape == latents.shape == (4, 12, height // 16, width // 16)
        assert (model.basis.encode(rgb) - latents).square().mean() < 1e-3 * latents.var()


def test_errors_count_more_on_objects_and_most_on_small_ones():
    visible = torch.zeros(1, 3, 64, 64)
    visible[0, 0, :16, :16] = 1
    visible[0, 1, 32:] = 1
    weights = emphasis(visible)
    assert weights.shape == (1, 4, 4)
    assert 5 >= weights[0, 0, 0] > weights[0, 3, 0] > weights[0, 1, 1] == 1


def test_the_walk_is_the_sampler_s_and_cleans_what_was_noised_a_little(atlas, model):
    scheduler = model.parts.scheduler
    for count in (8, 30):
        scheduler.set_timesteps(count)
        assert sampler_times(count) == scheduler.timesteps.tolist()
    true = model.latents(pictures(atlas, 256, 256))
    tokens = model.parts.tokens([draw_scene(seed, atlas, CRISP.vocabulary).caption for seed in range(4)])
    torch.manual_seed(0)
    for scale in (1.0, 3.0):
        cleaned = model.walk(torch.randn_like(true), true, tokens, sampler_times(20)[-5:], scale)
        noisy = model.alphas[201].sqrt() * true + (1 - model.alphas[201]).sqrt() * torch.randn_like(true)
        assert (cleaned - true).square().mean() < 0.5 * (noisy - true).square().mean()


def test_a_cache_holds_scenes_with_true_and_cleaned_latents_and_replaces_the_oldest(atlas, model):
    torch.manual_seed(0)
    np.random.seed(0)
    cache = SceneCache(TINY_PICTURES, atlas, model, (96, 64), 2 * CHUNK, 0)
    cache.renew()
    assert cache.filled == CHUNK
    assert torch.allclose(cache.true[:CHUNK], model.latents(cache.pictures[:CHUNK].float() / 255), atol=0.1)
    assert cache.true.shape == cache.cleaned.shape == (2 * CHUNK, 12, 4, 6)
    assert cache.true[:CHUNK].std() > 0.5
    away = (cache.cleaned - cache.true)[:CHUNK].square().mean((1, 2, 3))
    assert away.min() > 0 and away.max() < 2
    first = cache.pictures[0].clone()
    cache.renew()
    assert torch.equal(cache.pictures[0], first)
    cache.renew()
    assert (cache.filled, cache.drawn) == (2 * CHUNK, 3 * CHUNK)
    assert not torch.equal(cache.pictures[0], first)


def test_the_walk_and_the_decoder_s_lesson_stay_where_the_model_is(atlas, monkeypatch):
    """On the device "meta", which computes shapes alone, in place of the GPU that this machine lacks."""
    parts, there = load_parts(WEIGHTS), FrozenModel(load_parts(WEIGHTS)).basis.to("meta")
    monkeypatch.setattr(frozen_model, "basis_of", lambda vae: there)
    elsewhere = FrozenModel(parts.to("meta"))
    monkeypatch.setattr(
        scene_cache, "compose", lambda scenes, *sides: SimpleNamespace(rgb=torch.rand(CHUNK, 3, 64, 64, device="meta"))
    )
    cache = SceneCache(ONE_SIZE, atlas, elsewhere, (64, 64), 2 * CHUNK, 0)
    for _ in range(8):  # at every scale
        cache.renew()
    learner = SimpleNamespace(lesson=Lesson(1.0, 1e-3, 4), precision=torch.float32)
    judge = load_judge(WEIGHTS / "judge").network.to("meta")
    loss, _ = EnlargingTraining([cache], elsewhere.parts.vae.decoder, learner, judge).loss()
    assert cache.pictures.is_meta and cache.cleaned.is_meta and loss.is_meta


def test_a_soft_edge_is_less_steep_wherever_it_is(atlas):
    true = pictures(atlas, 128, 128)
    moved, soft = true.roll(1, -1), F.avg_pool2d(true, 5, stride=1, padding=2)
    assert less_steep(true, true) == 0
    assert steepness(true).shape == (4, 1, 16, 16)
    assert less_steep(moved, true) < 0.6 * less_steep(soft, true)
    assert steepness(soft).mean() < steepness(true).mean()


def test_the_denoiser_begins_as_it_ships_and_knows_its_scenes(tmp_path: Path, few_scenes):
    course = begin_enlarging(replace(TINY_PICTURES, buckets=((256, 256, 1.0),)), tmp_path, 1.0)
    torch.manual_seed(0)
    weighed = [course.denoiser.loss()[0].item() for _ in range(4)]
    course.denoiser.pools[0].weights[:] = 1
    losses = [course.denoiser.loss()[0].item() for _ in range(4)]
    assert sum(losses) / 4 < 0.35  # of untrained weights 1 and more
    assert sum(weighed) > 1.2 * sum(losses)  # what is hard is on objects
    assert not course.decoder.caches[0].filled  # drawn when the decoder's turn comes


def test_the_parts_take_turns_and_the_decoder_paints_what_the_denoiser_leaves_now(tmp_path: Path, few_scenes):
    course = begin_enlarging(TINY_PICTURES, tmp_path, 1.0)
    before = [weight.clone() for weight in course.model.parts.unet.parameters()]
    assert furthest_behind(course.trainings) == "denoiser"
    assert after_one_step(course, "denoiser").startswith("denoiser step 1 loss")
    assert after_one_step(course, "decoder").startswith("decoder step 1 loss")
    frozen = list(course.model.parts.unet.parameters())
    assert not all(map(torch.equal, before, frozen))
    with course.denoiser.learner.averaged():
        assert all(map(torch.equal, course.parts.unet.parameters(), frozen))
    for training in course.trainings.values():
        training.learner.spent = training.learner.planned
    course.decoder.learner.spent = 0.0
    assert furthest_behind(course.trainings) == "decoder"
    course.decoder.learner.spent = course.decoder.learner.planned
    assert furthest_behind(course.trainings) is None


def test_judges_go_on_with_what_they_know(tmp_path: Path, few_scenes):
    course = begin_enlarging(replace(TINY_PICTURES, buckets=((256, 256, 1.0),)), tmp_path, 1.0)
    torch.manual_seed(0)
    for name, training in course.judges.items():
        assert training.judge.own_sides(256, 256) == (128, 128), "as they were taught"
        assert training.loss()[0].item() < 1.0  # of untrained Judges 4 and more
        assert after_one_step(course, name).startswith(f"{name} step 1 loss")


def test_checkpoints_are_taken_up_where_they_were(tmp_path: Path, few_scenes):
    course = begin_enlarging(TINY_PICTURES, tmp_path, 1.0)
    for name in course.trainings:
        after_one_step(course, name)
    save_fresh(course.trainings, course.folder)
    again = begin_enlarging(TINY_PICTURES, tmp_path, 1.0)
    for name, training in course.trainings.items():
        other = again.trainings[name].learner
        assert other.steps == 1
        assert all(map(torch.equal, other.averages, training.learner.averages))
        assert all(map(torch.equal, other.masters, training.learner.masters))


def test_training_leaves_the_model_that_ships_with_other_weights(tmp_path: Path, few_scenes):
    flags = ["--recipe", "tiny-pictures", "--folder", str(tmp_path), "--minutes"]
    assert train.main([*flags, "0.02"]) == 0
    assert train.main([*flags, "0"]) == 0
    log = (tmp_path / "log").read_text()
    assert log.count("begins: denoiser") == log.count("stopped: denoiser") == 2
    assert re.search(r"denoiser step \d+ loss", log)
    model = tmp_path / "model"
    names = {path.relative_to(WEIGHTS) for path in WEIGHTS.rglob("*") if path.is_file()}
    alike = {path for path in names if path.parts[0] not in (*TRAINED, *OF_REVISION)}
    assert Path("tokenizer/words.json") in alike
    assert all((model / path).read_bytes() == (WEIGHTS / path).read_bytes() for path in alike)
    assert not any((model / name).exists() for name in OF_REVISION)
    for name in TRAINED:
        assert settings(model / name) == settings(WEIGHTS / name)
    record = json.loads((model / "training.json").read_text())
    assert record["recipe"] == "tiny-pictures" and record["parts"]["denoiser"]["steps"] >= 1
    pipeline = StableDiffusionPipeline.from_pretrained(model, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    painted = pipeline("a castle", width=96, height=64, num_inference_steps=2, output_type="pt").images
    assert painted.shape == (1, 3, 64, 96)


def test_a_sprint_goes_on_with_the_weights_that_ship_and_with_its_own(tmp_path: Path, few_scenes, capsys):
    flags = ["--recipe", "tiny-pictures", "--minutes", "0.1", "--batch", "4", "--device", "cpu", "--out"]
    assert sprint.main([*flags, str(tmp_path / "first")]) == 0
    assert {file.name for file in (tmp_path / "first").iterdir()} >= {"log", "samples.png", "model.tar.0"}
    whole = b"".join(piece.read_bytes() for piece in sorted((tmp_path / "first").glob("model.tar.*")))
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        tar.extractall(tmp_path, filter="data")
    first = begin_enlarging(TINY_PICTURES, tmp_path / "course", 1.0, first=tmp_path / "model").trainings
    assert first["denoiser"].learner.steps >= 2
    assert sprint.main([*flags, str(tmp_path / "again"), "--model", str(tmp_path / "model")]) == 0
    with pytest.raises(SystemExit):
        sprint.main([*flags, str(tmp_path / "third"), "--model", str(WEIGHTS)])
    assert "holds no export of the recipe tiny-pictures" in capsys.readouterr().err
    assert not (tmp_path / "third").exists()


def settings(folder: Path) -> dict[str, object]:
    values: dict[str, object] = json.loads((folder / "config.json").read_text())
    return values
