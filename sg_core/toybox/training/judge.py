# SPDX-License-Identifier: MIT
"""The Judges at the native size: the first, and a second of another network, on seeds of its own, that checks it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.toybox.recipe import Recipe
from sg_core.toybox.segmenter import Segmenter
from sg_core.toybox.training.optimise import Learner
from sg_core.toybox.training.pool import Source
from sg_core.toybox.training.stream import JUDGE_SEEDS, SECOND_JUDGE_SEEDS, Batch, stream

JUDGES = {"judge": ("nested", JUDGE_SEEDS), "second-judge": ("dilated", SECOND_JUDGE_SEEDS)}
NOISE = 0.2


@dataclass
class JudgeTraining:
    """A segmenter on scenes of its own; half its pictures go through the decoder first, as painted ones did."""

    source: Source
    decoder: Learner
    learner: Learner
    judge: Segmenter
    seeds: int
    batches: Iterator[Batch] = field(init=False)

    def __post_init__(self) -> None:
        batch = self.learner.lesson.batch
        self.batches = stream(self.source.recipe, self.source.atlas, self.seeds + batch * self.learner.steps, batch)

    def loss(self) -> tuple[Tensor, int]:
        """The loss of one batch and its pictures."""
        batch = next(self.batches)
        half = len(batch.scenes) // 2
        picture = batch.pictures.rgb.to(self.learner.precision)
        picture = torch.cat([self.repainted(batch, half), picture[half:]])
        return segmentation_loss(self.judge, picture, batch), len(batch.scenes)

    @torch.no_grad()
    def repainted(self, batch: Batch, count: int) -> Tensor:
        """The first few pictures as the decoder paints their latents."""
        latents = self.source.encode(batch.scenes, batch.pictures)[:count]
        noisy = latents + NOISE * torch.randn_like(latents)
        with self.decoder.averaged():
            painted: Tensor = self.source.parts.vae.decoder(noisy.to(self.decoder.precision))
        return (painted / 2 + 0.5).clamp(0, 1)


def new_judge(recipe: Recipe, architecture: str = "nested") -> Segmenter:
    """An untrained Judge for a recipe's nouns."""
    return Segmenter(recipe.nouns, recipe.judge_width, architecture)


def classes(batch: Batch, nouns: Sequence[str], sides: tuple[int, int] | None = None) -> Tensor:
    """The class of each pixel (batch, height, width): the thing that covers most of it, or 0; at this height and width,
    or else the pictures'."""
    visible = batch.pictures.visible
    visible = visible if sides is None else F.interpolate(visible, sides, mode="area")
    index = {noun: number for number, noun in enumerate(nouns, 1)}
    slots = visible.shape[1]
    names = [[index[t.noun] for t in scene.objects] + [0] * (slots - len(scene.objects)) for scene in batch.scenes]
    background = 1 - visible.sum(1, keepdim=True)
    winner = torch.cat([background, visible], 1).argmax(1)
    table = torch.tensor(names, device=visible.device)
    table = torch.cat([torch.zeros_like(table[:, :1]), table], 1)
    return table.gather(1, winner.flatten(1)).view_as(winner)


def segmentation_loss(judge: Segmenter, picture: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy with the true visible masks, and what each noun of each picture lacks of the whole of its mask.

    The second is one minus the soft intersection over union (Rahman and Wang, 2016), the very figure a Judge is asked
    for: pixels alone would let small things go. Both are taken at the size at which the Judge looks at pictures.
    """
    sides = judge.own_sides(*picture.shape[-2:])
    truth = classes(batch, judge.nouns, sides)
    logits = judge(F.interpolate(picture, sides, mode="area")).float()
    masks = F.one_hot(truth, logits.shape[1]).movedim(-1, 1).float()
    likely = logits.softmax(1)
    both, either = (likely * masks).sum((2, 3)), (likely + masks - likely * masks).sum((2, 3))
    visible = masks.sum((2, 3)) > 0
    visible[:, 0] = False
    loss: Tensor = F.cross_entropy(logits, truth) + (1 - both / either)[visible].mean()
    return loss
