# SPDX-License-Identifier: MIT
"""Layout guidance, backward (Chen, Laina, Vedaldi 2024, "Training-Free Layout Control with Cross-Attention Guidance").

Energy of a thing: (1 - share of a map's mass inside its box)², mean over heads and layers; the latent itself goes
down its gradient, several times a step, in the first fifth of the steps, until the loss is small enough.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.baselines.attention import Listener, grid, on_grid
from benchmarks.baselines.loop import Run, begin, paint
from benchmarks.placement.cases import Case
from sg_core.models.model import Model, Step


@dataclass(frozen=True)
class LayoutGuidanceSettings:
    """As published: mid block and the first block upwards that attends, 10 of 51 steps."""

    scale: float = 30.0
    iterations: int = 5
    until: float = 0.2
    threshold: float = 0.2
    layers: tuple[str, ...] = ("mid_block", "up_blocks.0")


def layout_guidance(model: Model, case: Case, seed: int, steps: int, settings: LayoutGuidanceSettings) -> Tensor:
    """The picture; the loss is looked at anew in each step."""

    def before(run: Run, latent: Tensor, step: Step) -> Tensor:
        for _ in range(settings.iterations if step.progress < settings.until else 0):
            value, gradient = run.gradient(latent, step, settings.layers, lambda overheard, z: loss(run, overheard, z))
            if value <= settings.threshold:
                break
            # published for latents that grow with the noise: sigma / alpha there, and a gradient alpha times ours
            latent = latent - settings.scale * step.sigma**2 * gradient
        return latent

    return paint(begin(model, case), case, seed, steps, before)


def loss(run: Run, overheard: Listener, latent: Tensor) -> Tensor:
    """Mean over things, layers, heads and tokens."""
    terms = []
    for attention in overheard.overheard.values():  # (head, place, key)
        rows, columns = grid(attention.shape[1], latent)
        for mask, keys in zip(run.masks, run.keys, strict=True):
            inside = (on_grid(mask, rows, columns) > 0.5).float().flatten()
            maps = attention[:, :, list(keys)]
            share = (maps * inside[None, :, None]).sum(1) / maps.sum(1)
            terms.append((1 - share).square().mean())
    return torch.stack(terms).mean()
