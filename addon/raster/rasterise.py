# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles and a camera to object ids, depth and coverage: a z-buffer in numpy, no GPU and no render.

A stream yields triangles, those that face the camera first; each is cut into spans; spans are painted into a z-buffer,
where the nearest owner of a pixel stays.

Camera space is Blender's: x right, y up, looking along -z. Depth is planar, the distance along the viewing direction,
in the scene's units. Rows run from the top.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cooperative import Slices, finish
from .clipping import clip
from .culling import streaming
from .lens import Lens
from .scanlines import pieces, spans
from .triangles import Triangles
from .zbuffer import ZBuffer

PAINTED = 1 << 16  # pixels at once, a millisecond's work

__all__ = ["Raster", "coverage", "coverages", "depths", "rasterise", "rasterising"]


@dataclass(frozen=True, eq=False)
class Raster:
    """What each pixel sees.

    ``owners`` (height, width) int32 is the owner of the nearest triangle, NOTHING where there is none; ``nearness``
    (height, width) float32 the inverse of its depth, 0 where there is none; ``footprint`` (owners, height, width) bool
    tells which pixels an owner would cover if nothing hid it.
    """

    owners: NDArray[np.int32]
    nearness: NDArray[np.float32]
    footprint: NDArray[np.bool_]


def rasterise(
    triangles: Triangles, lens: Lens, width: int, height: int, count: int = 0, stagger: float = 0.0
) -> Raster:
    """Draw ``triangles`` onto a grid of pixels.

    An owner of NOTHING hides what lies behind it and is itself seen as NOTHING. Footprints are kept of the owners
    0 .. ``count`` - 1. Facing does not matter: both sides of a triangle are drawn.

    A pixel is sampled at its centre; with ``stagger``, in pixels, that far to the right of it in even rows and to the
    left in odd ones, so that cells of several samples tell more shades of an upright edge.
    """
    return finish(rasterising(triangles, lens, width, height, count, stagger))


def rasterising(
    triangles: Triangles, lens: Lens, width: int, height: int, count: int = 0, stagger: float = 0.0
) -> Slices[Raster]:
    """``rasterise`` in slices of a few milliseconds; the arrays must stay as they are until its end."""
    clipped = yield from clip(triangles, lens.near, lens.far)
    stream = yield from streaming(clipped, lens, width, height, stagger)
    z_buffer = ZBuffer(width, height, count, lens.perspective)
    yield from z_buffer.clearing()
    for corners, owners in stream.batches(z_buffer):
        yield
        for piece in pieces(spans(corners, width, height, stagger), PAINTED):
            yield
            z_buffer.paint(piece, owners)
    yield
    return Raster(*z_buffer.pixels())


def depths(nearness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Depths of pixels, of any shape, with that ``nearness``; infinity where there is nothing."""
    with np.errstate(divide="ignore"):
        inverse: NDArray[np.float32] = 1.0 / nearness
    return inverse


def coverage(hits: NDArray[np.bool_], factor: int) -> NDArray[np.uint8]:
    """Anti-aliased coverage, 0..255, of cells of ``factor`` x ``factor`` samples; it divides height and width."""
    height, width = hits.shape
    total = np.zeros((height // factor, width // factor), dtype=np.uint16)
    for row in range(factor):
        for column in range(factor):
            total += hits[row::factor, column::factor]
    return _shades(factor)[total]


def coverages(raster: Raster, count: int, factor: int) -> NDArray[np.uint8]:
    """``coverage`` of the owners 0 .. ``count`` - 1 in one go, (count, height / factor, width / factor).

    Most cells lie wholly in one owner, and only the others need counting.
    """
    samples = [raster.owners[row::factor, column::factor].ravel() for row in range(factor) for column in range(factor)]
    covers = np.zeros((count, len(samples[0])), dtype=np.uint8)
    mixed = np.zeros(len(samples[0]), dtype=bool)
    for other in samples[1:]:
        mixed |= other != samples[0]
    uniform = np.flatnonzero((samples[0] >= 0) & ~mixed)
    covers[samples[0][uniform], uniform] = 255
    cells = np.flatnonzero(mixed)
    hits = [(owners[cells[owners[cells] >= 0]], cells[owners[cells] >= 0]) for owners in samples]
    for hit in hits:  # of one sample: none comes twice
        covers[hit] += 1
    counted = tuple(np.concatenate(axis) for axis in zip(*hits, strict=True))
    covers[counted] = _shades(factor)[covers[counted]]
    return covers.reshape(count, raster.owners.shape[0] // factor, -1)


def _shades(factor: int) -> NDArray[np.uint8]:
    shades: NDArray[np.uint8] = np.rint(np.arange(factor**2 + 1) * (255.0 / factor**2)).astype(np.uint8)
    return shades
