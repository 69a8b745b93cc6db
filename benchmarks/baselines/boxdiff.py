# SPDX-License-Identifier: MIT
"""BoxDiff (Xie et al. 2023): attention inside a box, none outside, and projections that end where the box ends.

On attend-and-excite's maps and pace, for each thing: 1 - the mean of the best fifth of the cells inside its box, plus
the mean of the best as many outside, plus how far the map's profiles along x and y differ from the box's beside its
edges.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.baselines.attend_and_excite import excited
from benchmarks.baselines.attention import Listener, on_grid
from benchmarks.baselines.loop import Run, begin, fading_root, paint
from benchmarks.placement.cases import Case
from benchmarks.placement.ceiling import extent
from sg_core.models.model import Model, Step

EDGE = 1  # cells on either side of an edge


@dataclass(frozen=True)
class BoxDiffSettings:
    """As published: step 20, half of the steps, a fifth of the box."""

    scale: float = 20.0
    until: float = 0.5
    share: float = 0.2
    sharpness: float = 100.0
    layers: tuple[str, ...] = ("down_blocks.0", "up_blocks.1")


def boxdiff(model: Model, case: Case, seed: int, steps: int, settings: BoxDiffSettings) -> Tensor:
    """The picture."""

    def before(run: Run, latent: Tensor, step: Step) -> Tensor:
        if step.progress >= settings.until:
            return latent

        def misplaced(overheard: Listener, leaf: Tensor) -> Tensor:
            return loss(run, excited(run, overheard, leaf, settings.sharpness), settings.share)

        _, gradient = run.gradient(latent, step, settings.layers, misplaced)
        return latent - settings.scale * fading_root(step) * gradient

    return paint(begin(model, case), case, seed, steps, before)


def loss(run: Run, maps: Tensor, share: float) -> Tensor:
    """Sum over things, of maps (key, y, x)."""
    terms = []
    for mask, keys in zip(run.masks, run.keys, strict=True):
        box = boxed(mask, maps)
        plane = maps[list(keys)].mean(0)
        count = max(1, round(share * float(box.sum())))
        inside, outside = plane[box].topk(count).values, plane[~box].topk(min(count, int((~box).sum()))).values
        terms.append(1 - inside.mean() + outside.mean() + corners(plane, box))
    return torch.stack(terms).sum()


def corners(plane: Tensor, box: Tensor) -> Tensor:
    """Mean difference of the profiles (largest value along an axis) beside the box's edges."""
    gaps = []
    for axis in (0, 1):
        target, profile = box.any(axis).float(), plane.amax(axis)
        inside = target.nonzero().flatten()
        near = {int(edge) + k for edge in (inside[0], inside[-1]) for k in range(-EDGE, EDGE + 1)}
        cells = [cell for cell in sorted(near) if 0 <= cell < len(profile)]
        gaps.append((profile[cells] - target[cells]).abs().mean())
    return torch.stack(gaps).sum()


def boxed(mask: Tensor, maps: Tensor) -> Tensor:
    """The tight box of a mask (y, x) on the maps' grid, bool (y, x); never empty, never everything."""
    filled = torch.zeros_like(mask)
    left, top, right, bottom = extent(mask.numpy())
    filled[top:bottom, left:right] = 1
    coverage = on_grid(filled, *maps.shape[-2:])
    return (coverage >= min(0.5, float(coverage.max()))) & (coverage > coverage.min())
