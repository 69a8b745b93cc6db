# SPDX-License-Identifier: MIT
"""Attend-and-excite (Chefer et al. 2023): every noun is there. It knows no layout, only that nothing is forgotten.

Maps of the prompt's words, sharpened by a softmax over them and smoothed; the loss is that of the most neglected noun,
1 - its largest value. The latent goes down its gradient in the first half of the steps, and at three of them as often
as it takes.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.baselines.attention import Listener, word_maps
from benchmarks.baselines.loop import Run, begin, fading_root, paint
from benchmarks.placement.cases import Case
from sg_core.models.model import Model, Step


@dataclass(frozen=True)
class AttendAndExciteSettings:
    """As published: step 20, half of the steps, and the least attention at steps 0, 10 and 20 of 50."""

    scale: float = 20.0
    until: float = 0.5
    refinements: tuple[tuple[float, float], ...] = ((0.0, 0.05), (0.2, 0.5), (0.4, 0.8))
    iterations: int = 20
    sharpness: float = 100.0
    layers: tuple[str, ...] = ("down_blocks.0", "up_blocks.1")


def attend_and_excite(model: Model, case: Case, seed: int, steps: int, settings: AttendAndExciteSettings) -> Tensor:
    """The picture."""

    def before(run: Run, latent: Tensor, step: Step) -> Tensor:
        def neglect(overheard: Listener, leaf: Tensor) -> Tensor:
            return loss(run, overheard, leaf, settings.sharpness)

        if step.progress >= settings.until:
            return latent
        thresholds = [least for at, least in settings.refinements if round(at * step.total) == step.index]
        for _ in range(settings.iterations if thresholds else 0):
            value, gradient = run.gradient(latent, step, settings.layers, neglect)
            if value <= 1 - thresholds[0]:
                break
            latent = latent - settings.scale * fading_root(step) * gradient
        _, gradient = run.gradient(latent, step, settings.layers, neglect)
        return latent - settings.scale * fading_root(step) * gradient

    return paint(begin(model, case), case, seed, steps, before)


def loss(run: Run, overheard: Listener, latent: Tensor, sharpness: float) -> Tensor:
    """That of the most neglected noun."""
    maps = excited(run, overheard, latent, sharpness)
    return torch.stack([1 - maps[list(keys)].amax() for keys in run.keys]).max()


def excited(run: Run, overheard: Listener, latent: Tensor, sharpness: float) -> Tensor:
    """Sharpened and smoothed maps, (key, y, x), without the start and end marks, which take most of the attention.

    The published sharpness is for networks whose words hold about a hundredth of the attention.
    """
    maps = word_maps(overheard, latent)
    content = list(run.content)
    shares = torch.zeros_like(maps)
    shares[content] = (sharpness * maps[content]).softmax(0)
    return smoothed(shares)


def smoothed(maps: Tensor, sigma: float = 0.5) -> Tensor:
    """A Gaussian of 3 x 3 cells over each map (key, y, x)."""
    weights = torch.exp(-torch.tensor([-1.0, 0.0, 1.0]).square() / (2 * sigma**2))
    kernel = torch.outer(weights, weights) / weights.sum() ** 2
    padded = F.pad(maps[:, None], (1, 1, 1, 1), mode="reflect")
    return F.conv2d(padded, kernel[None, None].to(maps))[:, 0]
