# SPDX-License-Identifier: MIT
"""The denoiser told apart from itself: its own pictures, the discriminator at the first step, and what it learns."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sg_core.toybox.enlarging import enlarging_course, self_play
from sg_core.toybox.enlarging.enlarging_course import begin_enlarging
from sg_core.toybox.enlarging.self_play import SelfPlayTraining
from sg_core.toybox.recipe import SELF_PLAY, Recipe
from sg_core.toybox.scenes.atlas import load_atlas
from sg_core.toybox.training.turns import save_fresh

LESSONS = {name: replace(lesson, batch=8) for name, lesson in SELF_PLAY.lessons.items()}
TINY = replace(SELF_PLAY, name="tiny-play", buckets=((64, 64, 0.7), (96, 64, 0.3)), scenes=64, lessons=LESSONS)
ONE_SIZE = replace(TINY, buckets=((64, 64, 1.0),))


@pytest.fixture
def few(monkeypatch) -> None:
    atlas = load_atlas(SELF_PLAY.nouns)
    monkeypatch.setattr(enlarging_course, "load_atlas", lambda nouns: atlas)
    monkeypatch.setattr(enlarging_course, "FIRST_SCENES", 16)
    monkeypatch.setattr(self_play, "CHUNK", 8)
    monkeypatch.setattr(self_play, "STORED", 16)
    monkeypatch.setattr(self_play, "STEPS", (2,))


def training(recipe: Recipe, folder: Path) -> SelfPlayTraining:
    denoiser = begin_enlarging(recipe, folder, 1.0).denoiser
    assert isinstance(denoiser, SelfPlayTraining)
    return denoiser


def test_own_pictures_stand_beside_scenes_of_the_same_captions_and_the_oldest_are_replaced(tmp_path, few):
    pictures = training(ONE_SIZE, tmp_path).pictures[0]
    torch.manual_seed(0)
    pictures.renew()
    assert (pictures.filled, pictures.full) == (8, False)
    assert pictures.own.shape == pictures.true.shape == (16, 12, 4, 4)
    assert pictures.own[:8].std() > 0.5 and not pictures.own[8:].any()
    pool = pictures.pool
    rows = {(row.tobytes(), words.tobytes()) for row, words in zip(pool.latents, pool.tokens, strict=True)}
    for true, words in zip(pictures.true[:8], pictures.tokens[:8], strict=True):
        assert (true.half().numpy().tobytes(), words.short().numpy().tobytes()) in rows
    first = pictures.own[0].clone()
    pictures.renew()
    assert pictures.full and torch.equal(pictures.own[0], first)
    pictures.renew()
    assert (pictures.filled, pictures.drawn) == (16, 24) and not torch.equal(pictures.own[0], first)


def test_a_denoiser_that_is_its_copy_is_in_doubt(tmp_path, few, monkeypatch):
    monkeypatch.setattr(self_play, "EMPTY_CAPTIONS", 0.0)
    denoiser = training(ONE_SIZE, tmp_path)
    loss, count = denoiser.loss()
    assert count == 16 and loss.item() == pytest.approx(2 * math.log(2), abs=0.2)
    loss.backward()
    assert any(weight.grad is not None and weight.grad.any() for weight in denoiser.parts.unet.parameters())
    assert not any(weight.grad is not None for weight in denoiser.parts.text_encoder.parameters()), "the words stay"


def test_true_scenes_become_likelier_than_its_own_pictures(tmp_path, few, monkeypatch):
    monkeypatch.setattr(self_play, "RENEWED", 1000)
    denoiser = training(ONE_SIZE, tmp_path)
    torch.manual_seed(0)
    for _ in range(40):
        denoiser.learner.step(*denoiser.loss())
    pictures, gaps = denoiser.pictures[0], []
    for latents in (pictures.true, pictures.own):
        torch.manual_seed(1)
        noise, time = torch.randn(16, 12, 4, 4), torch.arange(50, 850, 50)
        with torch.no_grad():
            error, known = denoiser.errors(latents, noise, time, pictures.tokens)
        gaps.append((error - known).mean().item())
    assert gaps[0] < gaps[1]


def test_the_copy_follows_at_every_round(tmp_path, few, monkeypatch):
    monkeypatch.setattr(self_play, "ROUND", 3)
    denoiser = training(TINY, tmp_path)

    def copied() -> bool:
        with denoiser.learner.averaged():
            pairs = zip(denoiser.parts.unet.parameters(), denoiser.model.parts.unet.parameters(), strict=True)
            return all(torch.equal(here, there) for here, there in pairs)

    for _ in range(3):
        denoiser.learner.step(*denoiser.loss())
    assert not copied()
    denoiser.loss()
    assert copied()


def test_it_is_taken_up_where_it_was_and_exported_whole(tmp_path, few):
    course = begin_enlarging(TINY, tmp_path, 1.0)
    assert course.turn("denoiser", lambda: True).startswith("denoiser step 1 loss")
    save_fresh(course.trainings, course.folder)
    again = begin_enlarging(TINY, tmp_path, 1.0)
    assert again.denoiser.learner.steps == 1
    assert all(map(torch.equal, again.denoiser.learner.averages, course.denoiser.learner.averages))
    again.export(tmp_path / "model")
    assert training(TINY, tmp_path).learner.steps == 1
    assert begin_enlarging(TINY, tmp_path / "other", 1.0, first=tmp_path / "model").denoiser.learner.steps == 1
