# SPDX-License-Identifier: MIT
"""Train the Judge, and the second one that checks it."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.toybox.autoencoder import read_basis
from sg_core.toybox.components import cast, load_parts
from sg_core.toybox.judge import Segmenter, save_judge
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.training.optimise import Learner, fit
from sg_core.toybox.training.stream import JUDGE_SEEDS, SECOND_JUDGE_SEEDS, Batch, stream

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


def new_judge(recipe: Recipe, architecture: str = "nested") -> Segmenter:
    """An untrained Judge for a recipe's nouns."""
    return Segmenter(recipe.nouns, recipe.judge_width, architecture)


def classes(batch: Batch, nouns: Sequence[str]) -> Tensor:
    """The class of each pixel (batch, height, width): the thing that covers most of it, or 0."""
    visible = batch.pictures.visible
    index = {noun: number for number, noun in enumerate(nouns, 1)}
    slots = visible.shape[1]
    names = [[index[t.noun] for t in scene.things] + [0] * (slots - len(scene.things)) for scene in batch.scenes]
    background = 1 - visible.sum(1, keepdim=True)
    winner = torch.cat([background, visible], 1).argmax(1)
    table = torch.tensor(names, device=visible.device)
    table = torch.cat([torch.zeros_like(table[:, :1]), table], 1)
    return table.gather(1, winner.flatten(1)).view_as(winner)


def segmentation_loss(judge: Segmenter, picture: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy with the true visible masks, and what each noun of each picture lacks of the whole of its mask.

    The second is one minus the soft intersection over union (Rahman and Wang, 2016), the very figure a Judge is asked
    for: pixels alone would let small things go.
    """
    truth = classes(batch, judge.nouns)
    logits = judge(picture).float()
    masks = F.one_hot(truth, logits.shape[1]).movedim(-1, 1).float()
    likely = logits.softmax(1)
    both, either = (likely * masks).sum((2, 3)), (likely + masks - likely * masks).sum((2, 3))
    shown = masks.sum((2, 3)) > 0
    shown[:, 0] = False
    loss: Tensor = F.cross_entropy(logits, truth) + (1 - both / either)[shown].mean()
    return loss
