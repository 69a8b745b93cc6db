# SPDX-License-Identifier: MIT
"""DenseDiffusion (Kim et al. 2023, "Dense Text-to-Image Generation with Attention Modulation"): no gradient.

Scores of a thing's words rise toward the largest inside its mask and fall toward the smallest outside, and so do those
among the places of one thing; less for large things, and less as the noise goes.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.baselines.attention import Scores, grid, listening, on_grid
from benchmarks.baselines.loop import Run, begin, paint
from benchmarks.placement.cases import Case
from sg_core.models.model import Model, Step


@dataclass(frozen=True)
class DenseDiffusionSettings:
    """As published: weights for words and for places, the fifth power of the time, 30 % of the steps."""

    words: float = 1.0
    places: float = 0.3
    power: float = 5.0
    until: float = 0.3


def dense_diffusion(model: Model, case: Case, seed: int, steps: int, settings: DenseDiffusionSettings) -> Tensor:
    """The picture."""

    def around(run: Run, latent: Tensor, step: Step) -> AbstractContextManager[object]:
        if step.progress >= settings.until:
            return listening(model.network)
        faded = (step.time / 1000) ** settings.power
        return listening(model.network, bias=lambda scores: bias(run, latent, scores, settings, faded))

    return paint(begin(model, case), case, seed, steps, around=around)


def bias(run: Run, latent: Tensor, scores: Scores, settings: DenseDiffusionSettings, faded: float) -> Tensor:
    """What a layer's scores gain: (batch, head, query, key)."""
    rows, columns = grid(scores.values.shape[2], latent)
    inside = torch.stack([on_grid(mask, rows, columns).flatten() > 0.5 for mask in run.masks]).float()
    small = 1 - inside.mean(1)  # (thing,)
    target = words_of(run, inside, scores) if scores.words else inside.T @ (small[:, None] * inside)
    concerned = (target.sum(0, keepdim=True) > 0).expand_as(target)
    low, high = scores.values.amin(-1, keepdim=True), scores.values.amax(-1, keepdim=True)
    rise, fall = target * (high - scores.values), (target == 0) * concerned * (scores.values - low)
    return faded * (settings.words if scores.words else settings.places) * (rise - fall)


def words_of(run: Run, inside: Tensor, scores: Scores) -> Tensor:
    """1 - size where a place lies in the mask of the thing that a key names: (query, key)."""
    target = scores.values.new_zeros(scores.values.shape[2:])
    for plane, keys in zip(inside, run.keys, strict=True):
        target[:, list(keys)] = (plane * (1 - plane.mean()))[:, None]
    return target
