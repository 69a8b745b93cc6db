# SPDX-License-Identifier: MIT
"""Backdrops: places painted by formula, so that no two are alike."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sg_core.toybox.scenes.places import PLACES, Colour, Place

WARM: Colour = (1.0, 0.8, 0.4)


@dataclass(frozen=True)
class Backdrops:
    """A batch of empty backdrops: places, eight numbers that vary each, coordinates 0..1, x in heights, horizon."""

    styles: tuple[Place, ...]
    phase: Tensor
    x: Tensor
    y: Tensor
    along: Tensor
    edge: Tensor

    def column(self, values: Sequence[float] | Sequence[Colour]) -> Tensor:
        """A number or a colour for each backdrop: (batch, 1 or 3, 1, 1)."""
        return torch.tensor(values, device=self.x.device).view(len(values), -1, 1, 1)

    def vary(self, index: int) -> Tensor:
        """One of the numbers of `phase`: (batch, 1, 1, 1)."""
        return self.phase[:, index].view(-1, 1, 1, 1)


def paint(
    names: list[str], horizon: Tensor, phase: Tensor, width: int, height: int, device: torch.device | str = "cpu"
) -> Tensor:
    """Backdrops (batch, 3, height, width) in 0..1; horizon (batch,), phase (batch, 8) in 0..1 vary each one."""
    backdrops = stretch([PLACES[name] for name in names], horizon.to(device), phase.to(device), width, height)
    sky = furnish(backdrops, paint_sky(backdrops))
    cover = ((backdrops.y - backdrops.edge) * height).clamp(0, 1)
    return (sky * (1 - cover) + paint_ground(backdrops) * cover).clamp(0, 1)


def stretch(styles: Sequence[Place], horizon: Tensor, phase: Tensor, width: int, height: int) -> Backdrops:
    """The backdrops, with hills along its horizon."""
    x = ((torch.arange(width, device=phase.device) + 0.5) / width).view(1, 1, 1, width)
    y = ((torch.arange(height, device=phase.device) + 0.5) / height).view(1, 1, height, 1)
    along = x.expand(len(styles), 1, 1, width) * (width / height)
    flat = Backdrops(tuple(styles), phase, x, y, along, horizon.view(-1, 1, 1, 1))
    hills = flat.column([s.hills for s in styles]) * waves(along, phase[:, :3], (0.7, 1.6, 3.1))
    return replace(flat, edge=flat.edge + hills)


def paint_sky(backdrops: Backdrops) -> Tensor:
    """A gradient with clouds, a low sun and stars: (batch, 3, height, width)."""
    styles, column, x, y, edge = backdrops.styles, backdrops.column, backdrops.x, backdrops.y, backdrops.edge
    climb = (y / edge).clamp(0, 1)
    sky = column([s.sky[0] for s in styles]) * (1 - climb) + column([s.sky[1] for s in styles]) * climb
    drift = backdrops.along + 0.25 * torch.sin(9 * y + 6 * backdrops.vary(3))
    puff = waves(drift, backdrops.phase[:, 4:7], (0.9, 2.3, 4.1))
    bank = torch.exp(-(((y / edge - 0.25 - 0.4 * backdrops.vary(7)) / 0.13) ** 2))
    sky = sky + column([s.clouds for s in styles]) * (1 - sky) * (puff * 2).clamp(0, 1) * bank
    width, height = x.shape[3], y.shape[2]
    sun = torch.exp(-(((x - backdrops.vary(5)) * width / height) ** 2 + (y - edge + 0.05) ** 2) / 0.06)
    sky = sky + column([s.glow for s in styles]) * sun
    return sky + column([s.stars for s in styles]) * starlight(x, y, backdrops.phase, width / height)


def furnish(backdrops: Backdrops, sky: Tensor) -> Tensor:
    """Stand bars and a far silhouette before the sky."""
    styles, column, along, y, phase = backdrops.styles, backdrops.column, backdrops.along, backdrops.y, backdrops.phase
    strips = (3 * waves(along, phase[:, 1:4], (2.3, 5.3, 8.9))).clamp(0, 1)
    sky = sky * (1 - column([s.bars for s in styles]) * strips)
    top = backdrops.edge - column([s.rise for s in styles]) * silhouette([s.outline for s in styles], along, phase)
    stands = ((y - top) * y.shape[2]).clamp(0, 1) * column([float(s.rise > 0) for s in styles])
    far = column([s.far for s in styles]) + column([s.windows for s in styles]) * windows(along, y, phase)
    return sky * (1 - stands) + far * stands


def paint_ground(backdrops: Backdrops) -> Tensor:
    """A gradient with ripples that widen toward the viewer: (batch, 3, height, width)."""
    styles, column, phase = backdrops.styles, backdrops.column, backdrops.phase
    fall = ((backdrops.y - backdrops.edge) / (1 - backdrops.edge)).clamp(0, 1)
    ground = column([s.ground[0] for s in styles]) * (1 - fall) + column([s.ground[1] for s in styles]) * fall
    ripple = torch.sin(40 * fall.sqrt() + 3 * waves(backdrops.along, phase[:, 2:5], (1.1, 2.7, 5.3)))
    return ground * (1 + column([s.ripples for s in styles]) * ripple)


def silhouette(outlines: Sequence[str], along: Tensor, phase: Tensor) -> Tensor:
    """How high each scene's outline stands at each x, in 0..1: (batch, 1, 1, width)."""
    heights = torch.stack([outline(along, phase) for outline in OUTLINES.values()])
    chosen = [list(OUTLINES).index(name) for name in outlines]
    return heights[chosen, range(len(chosen))]


def level(along: Tensor, phase: Tensor) -> Tensor:
    """Water, up to its own horizon."""
    return torch.ones_like(along)


def treetops(along: Tensor, phase: Tensor) -> Tensor:
    """Round tops, sharp gaps."""
    return 0.6 + 0.2 * ridges(along, phase, (2.3, 6.1)) - 0.2 * waves(along, phase[:, 5:7], (0.9, 1.7))


def peaks(along: Tensor, phase: Tensor) -> Tensor:
    """Sharp tops, round valleys."""
    return 1 - ridges(along, phase, (1.2, 2.9))


def ridges(along: Tensor, phase: Tensor, frequencies: tuple[float, float]) -> Tensor:
    """Two rows of arches in 0..1, the second half as high."""
    first, second = (waves(along, phase[:, k : k + 1], (f,)).abs() for k, f in enumerate(frequencies))
    return (2 * first + second) / 3


def blocks(along: Tensor, phase: Tensor) -> Tensor:
    """Flat tops of a golden-ratio sequence of heights, seven to a picture's height."""
    shift = phase[:, 3].view(-1, 1, 1, 1)
    return 0.3 + 0.7 * ((torch.floor(7 * (along + shift)) * 0.618034 + shift) % 1)


def windows(along: Tensor, y: Tensor, phase: Tensor) -> Tensor:
    """A grid of warm panes, about half of them lit: (batch, 3, height, width)."""
    row, pane = 21 * y, 21 * (along + phase[:, 3].view(-1, 1, 1, 1))
    lit = (torch.floor(row) * 0.754878 + torch.floor(pane) * 0.618034) % 1 > 0.5
    glass = (row % 1 - 0.5).abs().maximum((pane % 1 - 0.5).abs()) < 0.25
    return (lit & glass) * torch.tensor(WARM, device=y.device).view(1, 3, 1, 1)


OUTLINES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    outline.__name__: outline for outline in (level, treetops, peaks, blocks)
}


def starlight(x: Tensor, y: Tensor, phase: Tensor, aspect: float, count: int = 18) -> Tensor:
    """Soft dots scattered by a golden-ratio sequence that each scene's phase shifts: (batch, 1, height, width)."""
    k = torch.arange(count, device=x.device)
    star_x = (k * 0.618034 + phase[:, :1]) % 1
    star_y = (k * 0.754878 + phase[:, 1:2]) % 1 * 0.8
    dx = torch.exp(-(((x - star_x[..., None, None]) * aspect / 0.009) ** 2))
    dy = torch.exp(-(((y - star_y[..., None, None]) / 0.009) ** 2))
    return torch.einsum("bkyx,bkzw->byw", dy, dx).unsqueeze(1).clamp(0, 1)


def waves(x: Tensor, phase: Tensor, frequencies: tuple[float, ...]) -> Tensor:
    """A sum of sines in -1..1: x (batch, ...), phase (batch, len(frequencies))."""
    shape = (-1,) + (1,) * (x.dim() - 1)
    total = sum(torch.sin(2 * math.pi * (f * x + phase[:, k].view(shape))) / (k + 1) for k, f in enumerate(frequencies))
    return torch.as_tensor(total) / sum(1 / (k + 1) for k in range(len(frequencies)))
