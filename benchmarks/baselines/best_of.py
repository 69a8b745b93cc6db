# SPDX-License-Identifier: MIT
"""Paint several and keep the best, for the cost of one guided picture: the control that any guidance must beat.

The Judge itself chooses, by the very figure that counts: no user could choose as well.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from benchmarks.baselines.loop import begin, paint
from benchmarks.placement.cases import Case
from sg_core.judge import Judge, placement
from sg_core.models.model import Model
from sg_core.toybox.segmenter import load_judge


@dataclass(frozen=True)
class BestOfSettings:
    """``pictures`` share the steps of ``budget`` unguided pictures."""

    pictures: int = 4
    budget: float = 1.4


def best_of(model: Model, case: Case, seed: int, steps: int, settings: BestOfSettings) -> Tensor:
    """The picture whose things fill their masks best; its first seed is the seed."""
    each = max(2, round(steps * settings.budget / settings.pictures))
    run = begin(model, case)
    pictures = [paint(run, case, seed + 10_000 * k, each) for k in range(settings.pictures)]
    return max(pictures, key=lambda picture: overlap(picture, case))


def overlap(picture: Tensor, case: Case) -> float:
    """Sum of the things' IoU."""
    targets = {noun: torch.from_numpy(mask) for noun, mask in case.masks.items()}
    return sum(figures["iou"] for figures in placement(chooser(), picture[None], targets)[0].values())


@cache
def chooser() -> Judge:
    """The Judge that ships."""
    return load_judge()
