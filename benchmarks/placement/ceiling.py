# SPDX-License-Identifier: MIT
"""How well a mask can be filled at all: the best overlap that any of the noun's own silhouettes reaches.

A castle is no box: even a perfect method cannot cover a block with one. Every picture of the noun in the atlas is
tried both ways round, its width and height each 0.8 to 1.3 of the box of the whole mask, its middle moved by up to
0.08 of that box; of a partly hidden thing only the visible part counts, on both sides.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.placement.cases import CaseTarget
from benchmarks.sheet import Coverage
from sg_core.toybox.scenes.atlas import SIDE as TILE
from sg_core.toybox.scenes.atlas import Atlas

STRETCHES = (0.8, 0.9, 1.0, 1.15, 1.3)
SHIFT = 0.08
STATIONS = 9  # places tried along each axis, at most


def ceiling(target: CaseTarget, atlas: Atlas) -> float:
    """The best IoU that any silhouette of the target's noun has with its visible mask."""
    left, top, right, bottom = extent(target.whole)
    width, height = right - left, bottom - top
    return max(
        best(target, shape, ((left + right) / 2, (top + bottom) / 2), (SHIFT * width, SHIFT * height))
        for outline in outlines(target.noun, atlas)
        for across in STRETCHES
        for down in STRETCHES
        for shape in [resized(outline, max(1, round(across * width)), max(1, round(down * height)))]
    )


def best(target: CaseTarget, shape: Coverage, centre: tuple[float, float], reach: tuple[float, float]) -> float:
    """The best IoU of one silhouette, 0 and 1, whose middle stands up to ``reach`` pixels (x, y) from ``centre``."""
    height, width = shape.shape
    margin = max(height, width)
    mask = np.pad(target.mask, margin)
    open_ = np.pad(1 - target.front, margin)  # where a silhouette would be seen; nothing is, beyond the frame
    rows, columns = (
        stations(middle - side / 2 + margin, far)
        for middle, side, far in zip(reversed(centre), shape.shape, reversed(reach), strict=True)
    )
    both, area = (
        np.einsum("yxij,ij->yx", sliding_window_view(plane, shape.shape)[np.ix_(rows, columns)], shape, optimize=True)
        for plane in (mask, open_)
    )
    return float((both / np.maximum(area + mask.sum() - both, 1e-6)).max())


def stations(start: float, reach: float) -> list[int]:
    """Whole pixels from ``start - reach`` to ``start + reach``, STATIONS of them at most."""
    steps = np.linspace(math.ceil(start - reach), math.floor(start + reach), STATIONS)
    return sorted({round(float(step)) for step in steps} or {round(start)})


def outlines(noun: str, atlas: Atlas) -> Iterator[Coverage]:
    """The alpha of every picture of a noun, cut to its visible box, both ways round."""
    for tile in atlas.of(noun):
        left, top, right, bottom = (round(edge * TILE) for edge in atlas.tiles[tile].box)
        alpha = atlas.pixels[tile, 3, top:bottom, left:right].numpy()
        yield alpha
        yield alpha[:, ::-1].copy()


def resized(alpha: Coverage, width: int, height: int) -> Coverage:
    """A silhouette of that size in pixels, 0 and 1."""
    small = F.interpolate(torch.from_numpy(alpha)[None, None], (height, width), mode="area")[0, 0]
    return np.asarray(small.numpy() >= 0.5, dtype=np.float32)


def extent(mask: Coverage) -> tuple[int, int, int, int]:
    """The tight box (left, top, right, bottom) of a mask that is not empty, in pixels; right and bottom lie outside."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
