# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the regions are in the artist's frame, quickly and in slices: what a live overlay shows. numpy, no bpy.

A capture for a request is exact, and refuses what cannot be painted. Here nothing is refused, and the work is cut into
pieces so small that the artist's hand is never held up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .contract import Blockout, Region, unpack_mask
from .parts import Part, seen_from
from .phrases import Mark
from .raster import Floats, Ints, Lens, Raster, coverage, rasterising
from .slices import Slices

SIDE = 192  # cells along the longer side of the frame
SAMPLES = 2  # along a side of a cell


@dataclass(frozen=True, eq=False)
class Target:
    """Where a region is to be: ``mask`` (height, width) of 0..255 over the frame; None where nothing of it is seen."""

    name: str
    phrase: str
    mask: NDArray[np.uint8] | None
    centroid: tuple[float, float] | None


def cells(aspect: float) -> tuple[int, int]:
    """Columns and rows of the frame's grid."""
    return (SIDE, max(1, round(SIDE / aspect))) if aspect >= 1.0 else (max(1, round(SIDE * aspect)), SIDE)


def drawn(parts: Sequence[Part], pose: Floats, lens: Lens, aspect: float) -> Slices[Raster]:
    """The parts in the frame."""
    triangles = yield from seen_from(parts, pose)
    width, height = (side * SAMPLES for side in cells(aspect))
    picture = yield from rasterising(triangles, lens, width, height)
    return picture


def targets(marks: Sequence[Mark], picture: Raster) -> list[Target]:
    """What of each mark the finished frame shows; owners index the marks."""
    return [_target(mark.name, mark.phrase, picture.owners == index) for index, mark in enumerate(marks)]


def requested(blockout: Blockout) -> list[Target]:
    """What a request asked for, as far as it lies in the frame."""
    return [Target(r.name, r.phrase, framed(region_mask(r), blockout), r.centroid) for r in blockout.regions]


def region_mask(region: Region) -> NDArray[np.uint8]:
    """A region's mask on its own grid."""
    return np.frombuffer(unpack_mask(region.mask), np.uint8).reshape(region.mask.height, region.mask.width)


def framed(mask: NDArray[np.uint8], blockout: Blockout) -> NDArray[np.uint8]:
    """A mask of the whole picture, resampled (bilinearly, at cell centres) to the frame's own grid."""
    frame = blockout.frame
    columns, rows = cells(frame.width / frame.height)
    x = _places(columns, frame.left / blockout.width, frame.width / blockout.width, mask.shape[1])
    y = _places(rows, frame.top / blockout.height, frame.height / blockout.height, mask.shape[0])
    across = _blend(mask.astype(np.float64), *x, axis=1)
    whole: NDArray[np.uint8] = np.rint(_blend(across, *y, axis=0)).astype(np.uint8)
    return whole


def _places(number: int, start: float, length: float, cells: int) -> tuple[Ints, Ints, Floats]:
    """For cell centres of a stretch of a grid: the two cells between whose centres each lies, and how far along."""
    at = (start + (np.arange(number) + 0.5) / number * length) * cells - 0.5
    low = np.clip(np.floor(at).astype(np.int64), 0, cells - 1)
    return low, np.minimum(low + 1, cells - 1), np.clip(at - low, 0.0, 1.0)


def _blend(grid: Floats, low: Ints, high: Ints, part: Floats, axis: int) -> Floats:
    weight = part if axis == 1 else part[:, None]
    blended: Floats = np.take(grid, low, axis) * (1.0 - weight) + np.take(grid, high, axis) * weight
    return blended


def _target(name: str, phrase: str, seen: NDArray[np.bool_]) -> Target:
    if not seen.any():
        return Target(name, phrase, None, None)
    height, width = seen.shape
    columns, rows = seen.sum(0), seen.sum(1)
    x = float(columns @ (np.arange(width) + 0.5)) / float(columns.sum()) / width
    y = float(rows @ (np.arange(height) + 0.5)) / float(rows.sum()) / height
    return Target(name, phrase, coverage(seen, SAMPLES), (x, y))
