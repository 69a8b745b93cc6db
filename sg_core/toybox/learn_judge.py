# SPDX-License-Identifier: MIT
"""Train the Judge, and the second one that checks it."""

from pathlib import Path

import torch
from torch import Tensor

from sg_core.toybox.atlas import Atlas
from sg_core.toybox.autoencoder import read_basis
from sg_core.toybox.judge import new_judge, save_judge, segmentation_loss
from sg_core.toybox.optimise import Learner, fit
from sg_core.toybox.parts import cast, load_parts
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.stream import JUDGE_SEEDS, SECOND_JUDGE_SEEDS, stream

JUDGES = {"judge": ("nested", JUDGE_SEEDS), "second-judge": ("dilated", SECOND_JUDGE_SEEDS)}


def train_judge(
    recipe: Recipe, atlas: Atlas, folder: Path, planned: float, chunk: float, *, name: str = "judge"
) -> float:
    """A segmenter, on seeds of its own; half its pictures go through the autoencoder first, as generated ones did."""
    architecture, seeds = JUDGES[name]
    torch.manual_seed(seeds)
    vae = load_parts(folder / "model").vae.to(atlas.pixels.device)
    basis = read_basis(vae)
    judge = new_judge(recipe, architecture).to(atlas.pixels.device).train()
    learner = Learner({"judge": judge}, 4e-3, decay=0.998)
    cast(learner.precision, vae)
    learner.resume(folder / f"{name}-state")
    batches = stream(recipe, atlas, seeds + 16 * learner.steps, 16)

    def loss() -> Tensor:
        batch = next(batches)
        picture = batch.pictures.rgb
        with torch.no_grad():
            half = len(picture) // 2
            latent = basis.encode(picture[:half])
            seen = vae.decode((latent + 0.1 * torch.randn_like(latent)).to(learner.precision)).sample / 2 + 0.5
            picture = torch.cat([seen.clamp(0, 1), picture[half:].to(seen.dtype)])
        return segmentation_loss(judge, picture, batch)

    before = learner.spent
    fit(learner, loss, planned, chunk, folder / f"{name}-state", name)
    learner.settle()
    save_judge(judge, folder / "model" / name)
    return learner.spent - before
