# SPDX-License-Identifier: MIT
"""The whole training: every part with its learner, who is due, and the model's folder at the end."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sg_core.toybox.autoencoder import forget_spread
from sg_core.toybox.components import Parts, write_card
from sg_core.toybox.latents import LatentMap, fit_latent_map, load_latent_map, meaning, noun_codes
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas, load_atlas
from sg_core.toybox.segmenter import load_judge, save_judge
from sg_core.toybox.training.decoder import DecoderTraining
from sg_core.toybox.training.denoiser import DenoiserTraining
from sg_core.toybox.training.encoder import EncoderTraining
from sg_core.toybox.training.judge import JUDGES, JudgeTraining, new_judge
from sg_core.toybox.training.milestone import adopt, first_parts, write_record
from sg_core.toybox.training.optimise import Learner
from sg_core.toybox.training.pool import CHUNK, MeaningSource, pools
from sg_core.toybox.training.samples import sample_sheet
from sg_core.toybox.training.stream import SHARED_SEEDS, stream
from sg_core.toybox.training.turns import TURN, Training, all_settled, replaced

FIRST_SCENES, GROWTH = 2048, 64
SAMPLED_SCENES = 512


@dataclass
class Course:
    """All parts of a recipe in training."""

    recipe: Recipe
    atlas: Atlas
    folder: Path
    parts: Parts
    latents: LatentMap
    denoiser: DenoiserTraining
    decoder: DecoderTraining
    trainings: Mapping[str, Training]

    def turn(self, name: str, over: Callable[[], bool], seconds: float = TURN) -> str:
        """Train one part for so many seconds of its clock, or until `over()`; returns a line for the log."""
        training = self.trainings[name]
        learner = training.learner
        with learner.timed():
            for pool in self.denoiser.pools:
                pool.grow(GROWTH)
            if name == "decoder":
                self.decoder.prepare()
        return learner.turn(name, training.loss, over, seconds)

    def export(self, folder: Path) -> None:
        """The model as a folder of StableDiffusionPipeline, its Judges inside, and a sheet of pictures beside."""
        learners = {name: training.learner for name, training in self.trainings.items()}
        with replaced(folder) as fresh:
            with all_settled(list(learners.values())):
                forget_spread(self.parts.vae.encoder)
                self.parts.save(fresh)
                write_card(self.recipe.vocabulary, fresh)
                shutil.copy(self.folder / "tokenizer" / "words.json", fresh / "tokenizer")
                self.latents.save(fresh / "latents.safetensors")
                for name, training in self.trainings.items():
                    if isinstance(training, JudgeTraining):
                        save_judge(training.judge, fresh / name)
                steps = self.denoiser.learner.steps
                sample_sheet(self.recipe, self.atlas, self.parts, self.folder / f"samples-{steps}.png")
            write_record(self.recipe, learners, fresh)


def begin(recipe: Recipe, folder: Path, hours: float, device: str) -> Course:
    """The course as its checkpoints left it, or from nothing; the first scenes are drawn at once."""
    atlas = load_atlas(recipe.nouns).to(device)
    parts, record = first_parts(recipe, folder)
    for module in (parts.unet, parts.text_encoder, parts.vae):
        module.to(device).train()
    latents = latents_for(recipe, atlas, folder / "latents.safetensors").to(device)
    source = MeaningSource(recipe, atlas, parts, latents)

    def learner(name: str, modules: dict[str, nn.Module]) -> Learner:
        lesson = recipe.lessons[name]
        clock = time.monotonic if device == "cuda" else time.process_time
        learner_of_lesson = Learner(modules, lesson, hours * lesson.share, clock)
        if not learner_of_lesson.resume(folder, name):
            adopt(learner_of_lesson, record.get(name))
        return learner_of_lesson

    vae, scene_pools = parts.vae, pools(source, folder)
    denoiser = DenoiserTraining(
        parts, scene_pools, learner("denoiser", {"unet": parts.unet, "text": parts.text_encoder})
    )
    painter = learner("decoder", {"decoder": vae.decoder})
    judges = {
        name: JudgeTraining(source, painter, learner(name, {"judge": judge.to(device).train()}), judge, seeds)
        for name, (architecture, seeds) in JUDGES.items()
        for judge in [(load_judge(folder / "model" / name) if name in record else new_judge(recipe, architecture))]
    }
    decoder = DecoderTraining(parts, scene_pools[0], painter, denoiser, judges["judge"])
    encoder = EncoderTraining(parts, scene_pools[0], learner("encoder", {"encoder": vae.encoder}))
    torch.manual_seed(denoiser.learner.steps)
    np.random.seed(denoiser.learner.steps % 2**31)
    for pool in scene_pools:
        pool.grow(max(0, FIRST_SCENES - pool.filled))
    trainings: dict[str, Training] = {"denoiser": denoiser, "decoder": decoder, "encoder": encoder, **judges}
    return Course(recipe, atlas, folder, parts, latents, denoiser, decoder, trainings)


def latents_for(recipe: Recipe, atlas: Atlas, file: Path) -> LatentMap:
    """The map this training began with; fitted to a few hundred scenes and kept, if it is the first."""
    if not file.exists():
        codes, square = noun_codes(len(recipe.nouns), recipe.code_width), replace(recipe, buckets=recipe.buckets[:1])
        batches = list(stream(square, atlas, SHARED_SEEDS, CHUNK, SAMPLED_SCENES))
        meanings = [
            meaning(b.scenes, b.pictures, atlas, recipe.nouns, codes.to(b.pictures.rgb.device)) for b in batches
        ]
        rgb = torch.cat([batch.pictures.rgb for batch in batches])
        fit_latent_map(codes, torch.cat(meanings).cpu(), rgb.cpu(), recipe.colours).save(file)
    return load_latent_map(file)
