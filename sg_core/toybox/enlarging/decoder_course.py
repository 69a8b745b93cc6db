# SPDX-License-Identifier: MIT
"""The training of a decoder of twice the sides, from nothing or its last checkpoint, and the folder it leaves."""

import shutil
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from sg_core.toybox.autoencoder import new_autoencoder
from sg_core.toybox.components import load_parts
from sg_core.toybox.enlarging.decoder_lesson import EnlargingTraining
from sg_core.toybox.enlarging.frozen_model import FrozenModel
from sg_core.toybox.enlarging.scene_cache import CHUNK, SceneCache
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import load_atlas
from sg_core.toybox.segmenter import load_judge
from sg_core.toybox.training.milestone import WEIGHTS
from sg_core.toybox.training.optimise import Learner
from sg_core.toybox.training.stream import POOL_SEEDS

TURN = 20.0  # seconds between two lines of the log
FIRST_SCENES = 160
RESUMED_SEEDS = 1_000_000  # between the scenes of one start and of the next


@dataclass
class DecoderCourse:
    """One decoder in training."""

    folder: Path
    vae: AutoencoderKL
    training: EnlargingTraining

    def due(self) -> str | None:
        """The decoder, until its hours are over."""
        learner = self.training.learner
        return "decoder" if learner.spent < learner.planned else None

    def turn(self, name: str, over: Callable[[], bool], seconds: float = TURN) -> str:
        """Train for so many seconds of the clock, or until `over()`; returns a line for the log."""
        return self.training.learner.turn(name, self.training.loss, over, seconds)

    def summary(self) -> str:
        """Hours so far."""
        return f"decoder {self.training.learner.spent:.2f} core-hours"

    def save(self) -> None:
        """A checkpoint."""
        if self.training.learner.fresh:
            self.training.learner.save(self.folder, "decoder")

    def export(self, folder: Path) -> None:
        """The model that ships, as a folder, with this decoder of averaged weights; all else is copied as it is."""
        fresh = folder.with_name(f"{folder.name}.fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(WEIGHTS, fresh)
        shutil.rmtree(fresh / "vae")
        with self.training.learner.settled():
            deepcopy(self.vae).half().save_pretrained(fresh / "vae", safe_serialization=True)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)


def begin_decoder(recipe: Recipe, folder: Path, hours: float) -> DecoderCourse:
    """The course as its checkpoint left it, or from nothing; the first scenes are drawn at once."""
    atlas, model = load_atlas(recipe.nouns), FrozenModel(load_parts(WEIGHTS))
    torch.manual_seed(0)
    vae = new_autoencoder(recipe.autoencoder_channels, model.channels, recipe.buckets[0][0])
    vae.encoder.load_state_dict(model.parts.vae.encoder.state_dict())
    painter = Learner({"decoder": vae.decoder.train()}, recipe.lessons["decoder"], hours, time.process_time)
    painter.resume(folder, "decoder")
    judge = load_judge(WEIGHTS / "judge").network.requires_grad_(False).to(painter.precision)
    torch.manual_seed(painter.steps)
    np.random.seed(painter.steps % 2**31)
    caches = []
    for number, (width, height, share) in enumerate(recipe.buckets):
        size = max(CHUNK, round(recipe.scenes * share) // CHUNK * CHUNK)
        seed = POOL_SEEDS + (100 * number + painter.steps % 97) * RESUMED_SEEDS // 10
        cache = SceneCache(recipe, atlas, model, (width, height), size, seed)
        for _ in range(max(1, round(FIRST_SCENES * share) // CHUNK)):
            cache.renew()
        caches.append(cache)
    return DecoderCourse(folder, vae, EnlargingTraining(caches, vae.decoder, painter, judge))
