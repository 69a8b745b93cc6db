# SPDX-License-Identifier: MIT
"""R&B, region and boundary (Xiao et al. 2024, "R&B: Region and Boundary Aware Zero-shot Grounded T2I Generation").

A thing's map, stretched to 0..1 and cut at 2/5 of its mean inside and 3/5 outside its box, has a box of its own; the
worse the two boxes overlap, the more the mass inside the given one counts (straight through the cut, and through a
soft one). With several things, the map's edges must lie where the box's are.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.baselines.attend_and_excite import excited
from benchmarks.baselines.attention import Listener, word_maps
from benchmarks.baselines.boxdiff import boxed
from benchmarks.baselines.loop import Run, begin, paint
from benchmarks.placement.cases import Case
from sg_core.models.model import Model, Step

SIDE = 64  # cells of the maps, as published
SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


@dataclass(frozen=True)
class RegionBoundarySettings:
    """As published: step 70, at most five a step, 10 of 50 steps; content with boxes that overlap by 0.85."""

    scale: float = 70.0
    iterations: int = 5
    until: float = 0.2
    enough: float = 0.85
    sharpness: float = 120.0
    layers: tuple[str, ...] = ("down_blocks", "mid_block", "up_blocks")


def region_boundary(model: Model, case: Case, seed: int, steps: int, settings: RegionBoundarySettings) -> Tensor:
    """The picture."""

    def before(run: Run, latent: Tensor, step: Step) -> Tensor:
        for _ in range(settings.iterations if step.progress < settings.until else 0):
            value, gradient = run.gradient(
                latent, step, settings.layers, lambda overheard, z: loss(run, overheard, z, settings)
            )
            if value == 0.0:
                break
            latent = latent - settings.scale * gradient
        return latent

    return paint(begin(model, case), case, seed, steps, before)


def loss(run: Run, overheard: Listener, latent: Tensor, settings: RegionBoundarySettings) -> Tensor:
    """Sum over the things whose boxes do not overlap enough."""
    maps, sharp = word_maps(overheard, latent, (SIDE, SIDE)), excited(run, overheard, latent, settings.sharpness)
    total = 0.0 * maps.sum()
    for mask, keys in zip(run.masks, run.keys, strict=True):
        plane = stretched(maps[list(keys)].sum(0))
        box = boxed(mask, maps)
        cut = 0.4 * plane[box].mean() + 0.6 * plane[~box].mean()
        own = boxed((plane > cut).float(), maps)
        overlap = float((own & box).sum() / (own | box).sum())
        if overlap < settings.enough:
            total = total + region(plane, cut.detach(), box, overlap)
            if len(run.masks) > 1:
                total = total + boundary(sharp[list(keys)].mean(0), boxed(mask, sharp))
    return total


def region(plane: Tensor, cut: Tensor, box: Tensor, overlap: float) -> Tensor:
    """How little of what lies above the cut lies in the box: a hard cut, straight through, and half a soft one."""
    hard = (plane > cut).float() + plane - plane.detach()
    soft = torch.sigmoid(20 * (plane - cut))
    shares = [(values * box).sum() / values.sum().clamp_min(1e-6) for values in (hard, soft)]
    first, second = (1 - (1 - overlap) * share for share in shares)
    return first + 0.5 * second


def boundary(plane: Tensor, box: Tensor) -> Tensor:
    """1 - how much of the map's edges lies on the box's (Sobel, both ways)."""
    own, target = (edges(values) for values in (plane, box.float()))
    return 1 - (own * (target > 0)).sum() / own.sum().clamp_min(1e-6)


def edges(plane: Tensor) -> Tensor:
    """Steepness of a map (y, x)."""
    across = plane.new_tensor(SOBEL)
    kernels = torch.stack([across, across.T])[:, None]
    return F.conv2d(plane[None, None], kernels, padding=1)[0].square().sum(0).add(1e-12).sqrt()


def stretched(plane: Tensor) -> Tensor:
    """From 0 to 1."""
    low, high = plane.detach().amin(), plane.detach().amax()
    return (plane - low) / (high - low).clamp_min(1e-6)
