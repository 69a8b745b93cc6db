# SPDX-License-Identifier: MIT
"""Another decoder for the weights that ship: what it is given, what it is told, and the folder it leaves."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from diffusers import StableDiffusionPipeline
from torch import Tensor

from sg_core.toybox import train
from sg_core.toybox.components import load_parts
from sg_core.toybox.enlarging.decoder_course import begin_decoder
from sg_core.toybox.enlarging.decoder_lesson import less_steep, steepness
from sg_core.toybox.enlarging.frozen_model import FrozenModel, sampler_times
from sg_core.toybox.enlarging.scene_cache import CHUNK, SceneCache
from sg_core.toybox.recipe import CRISP, RECIPES
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.scenes.compose import compose
from sg_core.toybox.scenes.scene import draw_scene
from sg_core.toybox.training.milestone import WEIGHTS

TINY_DECODER = replace(
    CRISP,
    name="tiny-decoder",
    buckets=((64, 64, 0.7), (96, 64, 0.3)),
    scenes=2 * CHUNK,
    hours=1,
)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    return load_atlas(CRISP.nouns)


@pytest.fixture(scope="module")
def model() -> FrozenModel:
    return FrozenModel(load_parts(WEIGHTS))


def pictures(atlas: Atlas, width: int, height: int) -> Tensor:
    return compose([draw_scene(seed, atlas, CRISP.vocabulary) for seed in range(4)], atlas, width, height).rgb


def test_the_walk_is_the_sampler_s_and_cleans_what_was_noised_a_little(atlas, model):
    scheduler = model.parts.scheduler
    for count in (8, 30):
        scheduler.set_timesteps(count)
        assert sampler_times(count) == scheduler.timesteps.tolist()
    true = model.latents(pictures(atlas, 256, 256))
    captions = [draw_scene(seed, atlas, CRISP.vocabulary).caption for seed in range(4)]
    torch.manual_seed(0)
    for scale in (1.0, 3.0):
        cleaned = model.walk(torch.randn_like(true), true, captions, sampler_times(20)[-5:], scale)
        noisy = model.alphas[201].sqrt() * true + (1 - model.alphas[201]).sqrt() * torch.randn_like(true)
        assert (cleaned - true).square().mean() < 0.5 * (noisy - true).square().mean()


def test_a_cache_holds_scenes_with_true_and_cleaned_latents_and_replaces_the_oldest(atlas, model):
    torch.manual_seed(0)
    cache = SceneCache(TINY_DECODER, atlas, model, (96, 64), 2 * CHUNK, 0)
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


def test_a_soft_edge_is_less_steep_wherever_it_is(atlas):
    true = pictures(atlas, 128, 128)
    moved, soft = true.roll(1, -1), F.avg_pool2d(true, 5, stride=1, padding=2)
    assert less_steep(true, true) == 0
    assert steepness(true).shape == (4, 1, 16, 16)
    assert less_steep(moved, true) < 0.6 * less_steep(soft, true)
    assert steepness(soft).mean() < steepness(true).mean()


def test_training_goes_on_and_leaves_the_model_with_another_decoder(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(RECIPES, "tiny-decoder", TINY_DECODER)
    flags = ["--recipe", "tiny-decoder", "--folder", str(tmp_path), "--minutes"]
    assert train.main([*flags, "0.02"]) == 0
    assert train.main([*flags, "0"]) == 0
    log = (tmp_path / "log").read_text()
    assert log.count("begins: decoder") == log.count("stopped: decoder") == 2
    assert re.search(r"decoder step \d+ loss", log)
    for name in ("unet/diffusion_pytorch_model-00001-of-00002.safetensors", "tokenizer/vocab.json"):
        assert (tmp_path / "model" / name).read_bytes() == (WEIGHTS / name).read_bytes()
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path / "model", local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    painted = pipeline("a castle", width=96, height=64, num_inference_steps=2, output_type="pt").images
    assert painted.shape == (1, 3, 64, 96)


def test_a_checkpoint_is_taken_up_until_the_hours_are_over(tmp_path: Path):
    course = begin_decoder(TINY_DECODER, tmp_path, 1.0)
    assert course.turn("decoder", lambda: True).startswith("decoder step 1 loss")
    course.save()
    again = begin_decoder(TINY_DECODER, tmp_path, 1.0)
    assert again.training.learner.steps == 1
    assert all(map(torch.equal, again.training.learner.averages, course.training.learner.averages))
    assert course.due() == "decoder"
    course.training.learner.spent = 1.0
    assert course.due() is None
