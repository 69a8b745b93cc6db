# SPDX-License-Identifier: MIT
"""The model that ships, trained further: its denoiser and words, the decoder on what they leave, and its Judges."""

import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sg_core.toybox.components import Parts, load_parts
from sg_core.toybox.enlarging.decoder_lesson import EnlargingTraining
from sg_core.toybox.enlarging.frozen_model import FrozenModel
from sg_core.toybox.enlarging.patch_basis import PatchSource
from sg_core.toybox.enlarging.scene_cache import CHUNK, SceneCache
from sg_core.toybox.enlarging.self_play import SelfPlayTraining
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.segmenter import load_judge, save_judge
from sg_core.toybox.training.course import FIRST_SCENES, GROWTH
from sg_core.toybox.training.denoiser import DenoiserTraining
from sg_core.toybox.training.judge import JUDGES, JudgeTraining
from sg_core.toybox.training.milestone import WEIGHTS, adopt, read_record, write_record
from sg_core.toybox.training.optimise import Learner
from sg_core.toybox.training.pool import CHUNK as ROWS
from sg_core.toybox.training.pool import Pool, pools
from sg_core.toybox.training.samples import sample_sheet
from sg_core.toybox.training.stream import POOL_SEEDS
from sg_core.toybox.training.turns import TURN, Training, all_settled, replaced

CACHED = 1024  # scenes that the decoder learns from at a time
RESUMED_SEEDS = 1_000_000  # between the decoder's scenes of one start and of the next
ONWARD_SEEDS = 50_000_000  # behind the scenes that the Judges were first taught
TRAINED = ("unet", "text_encoder", "vae", "judge", "second-judge")
OF_REVISION = ("README.md", "readers.json")  # what is said of the weights that ship, and of no others


@dataclass
class EnlargingCourse:
    """All parts in training; `model` is the denoiser as it was when the decoder's turn began."""

    recipe: Recipe
    atlas: Atlas
    folder: Path
    parts: Parts
    model: FrozenModel
    denoiser: DenoiserTraining
    decoder: EnlargingTraining
    judges: Mapping[str, JudgeTraining]

    @property
    def trainings(self) -> dict[str, Training]:
        """The parts by name."""
        return {"denoiser": self.denoiser, "decoder": self.decoder, **self.judges}

    def turn(self, name: str, over: Callable[[], bool], seconds: float = TURN) -> str:
        """Train one part for so many seconds of its clock, or until `over()`; returns a line for the log."""
        training = self.trainings[name]
        with training.learner.timed():
            if name == "denoiser":
                grow(self.denoiser.pools, GROWTH)
            elif name == "decoder":
                self.model.follow(self.denoiser.learner, self.parts)
                self.decoder.prepare()
        return training.learner.turn(name, training.loss, over, seconds)

    def export(self, folder: Path) -> None:
        """The folder that ships with the averaged weights in it, and a sheet of pictures beside."""
        learners = {name: training.learner for name, training in self.trainings.items()}
        with replaced(folder) as fresh:
            with all_settled(list(learners.values())):
                self.parts.save(fresh)
                shutil.copytree(WEIGHTS, fresh, ignore=ignore_trained, dirs_exist_ok=True)
                for name, training in self.judges.items():
                    save_judge(training.judge, fresh / name)
                sheet = f"samples-{self.denoiser.learner.steps}-{self.decoder.learner.steps}.png"
                sample_sheet(self.recipe, self.atlas, self.parts, self.folder / sheet)
            write_record(self.recipe, learners, fresh)


def ignore_trained(folder: str, names: list[str]) -> set[str]:
    """What of the folder that ships another model does not share: what was trained, and what is said of it."""
    return {*TRAINED, *OF_REVISION}.intersection(names) if Path(folder) == WEIGHTS else set()


def begin_enlarging(
    recipe: Recipe, folder: Path, hours: float, device: str = "cpu", first: Path = WEIGHTS
) -> EnlargingCourse:
    """The course as its checkpoints left it, or from the weights of the folder `first`; the denoiser's first scenes are
    drawn. Of an export of this recipe it also goes on counting."""
    atlas, record = load_atlas(recipe.nouns).to(device), read_record(first, recipe)
    parts, model = load_parts(first).to(device), FrozenModel(load_parts(first).to(device))

    def learner(name: str, modules: dict[str, torch.nn.Module]) -> Learner:
        lesson, clock = recipe.lessons[name], time.monotonic if device == "cuda" else time.process_time
        learner_of_lesson = Learner(modules, lesson, hours * lesson.share, clock, trained=True)
        if not learner_of_lesson.resume(folder, name):
            adopt(learner_of_lesson, record.get(name))
        return learner_of_lesson

    source = PatchSource(recipe, atlas, parts, model.basis)
    denoiser = begin_denoiser(parts, pools(source, folder, pictured=0), learner, first)
    painter = learner("decoder", {"decoder": parts.vae.decoder.train()})
    likeness = load_judge(first / "judge").network.requires_grad_(False).to(device, painter.precision)
    judges = {
        name: JudgeTraining(source, painter, learner(name, {"judge": judge.train()}), judge, seeds + ONWARD_SEEDS)
        for name, (_, seeds) in JUDGES.items()
        for judge in [load_judge(first / name).to(device).requires_grad_(True)]
    }
    torch.manual_seed(denoiser.learner.steps + painter.steps)
    np.random.seed((denoiser.learner.steps + painter.steps) % 2**31)
    grow(denoiser.pools, max(0, FIRST_SCENES - sum(pool.filled for pool in denoiser.pools)))
    decoder = EnlargingTraining(caches(recipe, atlas, model, painter.steps), parts.vae.decoder, painter, likeness)
    return EnlargingCourse(recipe, atlas, folder, parts, model, denoiser, decoder, judges)


def begin_denoiser(
    parts: Parts, scene_pools: list[Pool], learner: Callable[[str, dict[str, torch.nn.Module]], Learner], first: Path
) -> DenoiserTraining:
    """The denoiser's training, of its velocities with its words, or of itself against its own pictures."""
    if scene_pools[0].source.recipe.self_play:
        copy = FrozenModel(load_parts(first).to(parts.unet.device))
        return SelfPlayTraining(parts, scene_pools, learner("denoiser", {"unet": parts.unet.train()}), copy)
    modules = {"unet": parts.unet.train(), "text": parts.text_encoder.train()}
    return DenoiserTraining(parts, scene_pools, learner("denoiser", modules))


def grow(scene_pools: Sequence[Pool], count: int) -> None:
    """Draw about so many scenes while the pools are not full, each its share of them in whole chunks."""
    for pool, (_, _, share) in zip(scene_pools, scene_pools[0].source.recipe.buckets, strict=True):
        pool.grow(math.ceil(count * share / ROWS) * ROWS)


def caches(recipe: Recipe, atlas: Atlas, model: FrozenModel, steps: int) -> list[SceneCache]:
    """The decoder's scenes, still to be drawn: one cache for each of the recipe's buckets."""
    empty = []
    for number, (width, height, share) in enumerate(recipe.buckets):
        size = max(CHUNK, round(CACHED * share) // CHUNK * CHUNK)
        seed = POOL_SEEDS + (100 * number + steps % 97) * RESUMED_SEEDS // 10
        empty.append(SceneCache(recipe, atlas, model, (width, height), size, seed))
    return empty
