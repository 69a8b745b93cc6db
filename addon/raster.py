# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles and a camera to object ids, depth and coverage: a z-buffer in numpy, no GPU and no render.

Every triangle is cut into scanline spans, spans into fragments (one a pixel centre), and the nearest fragment of a
pixel wins. Spans are half open, so that two triangles sharing an edge cover each pixel centre exactly once.

Camera space is Blender's: x right, y up, looking along -z. Depth is planar, the distance along the viewing direction,
in the scene's units. Rows run from the top.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .clipping import Floats, Ints, clip
from .slices import Slices, finish

__all__ = ["NOTHING", "Floats", "Ints", "Lens", "Raster", "coverage", "coverages", "rasterise", "rasterising"]

NOTHING = -1
BLOCK = 1 << 14  # triangles at once: few enough to stay in the cache
FRAGMENTS = 1 << 18  # at once, an upper bound of a few milliseconds' work


@dataclass(frozen=True, eq=False)
class Lens:
    """A projection, (4, 4), from camera space to clip space, and the depths between which the camera sees."""

    projection: Floats
    near: float
    far: float

    @property
    def perspective(self) -> bool:
        """Whether lines of sight meet in the camera; they are parallel in an orthographic one."""
        return bool(self.projection[3, 2] != 0.0)


@dataclass(frozen=True, eq=False)
class Raster:
    """What each pixel sees.

    ``owners`` (height, width) int32 is the owner of the nearest triangle, NOTHING where there is none; ``depth``
    (height, width) float32 its depth, infinity where there is none; ``footprint`` (owners, height, width) bool tells
    which pixels an owner would cover if nothing hid it.
    """

    owners: NDArray[np.int32]
    depth: NDArray[np.float32]
    footprint: NDArray[np.bool_]


def rasterise(
    triangles: Floats, owners: Ints, lens: Lens, width: int, height: int, count: int = 0, stagger: float = 0.0
) -> Raster:
    """Draw ``triangles``, (n, 3, 3) in camera space, owned by ``owners``, (n,), onto a grid of pixels.

    An owner of NOTHING hides what lies behind it and is itself seen as NOTHING. Footprints are kept of the owners
    0 .. ``count`` - 1. Facing does not matter: both sides of a triangle are drawn.

    A pixel is sampled at its centre; with ``stagger``, in pixels, that far to the right of it in even rows and to the
    left in odd ones, so that cells of several samples tell more shades of an upright edge.
    """
    return finish(rasterising(triangles, owners, lens, width, height, count, stagger))


def rasterising(
    triangles: Floats, owners: Ints, lens: Lens, width: int, height: int, count: int = 0, stagger: float = 0.0
) -> Slices[Raster]:
    """``rasterise`` in slices of a few milliseconds; the arrays must stay as they are until its end."""
    triangles, owners = clip(triangles, owners, lens.near, lens.far)
    yield
    nearest = np.zeros(width * height, dtype=np.uint64)
    footprint = np.zeros((count, width * height), dtype=bool)
    for corners, part in _parts(triangles, lens, width, height, stagger):
        yield
        spans = _spans(corners, part, width, height, stagger)
        pixels, values = spans.fragments(width)
        _keep_nearest(nearest, pixels, _keys(values, spans, lens.perspective))
        named = np.repeat(owners[spans.source], spans.length)
        kept = (named >= 0) & (named < count)
        footprint[named[kept], pixels[kept]] = True
    yield
    return _resolve(nearest, owners, footprint.reshape(count, height, width), lens.perspective)


def coverage(hits: NDArray[np.bool_], factor: int) -> NDArray[np.uint8]:
    """Anti-aliased coverage, 0..255, of cells of ``factor`` x ``factor`` samples; it divides height and width."""
    height, width = hits.shape
    total = np.zeros((height // factor, width // factor), dtype=np.uint16)
    for row in range(factor):
        for column in range(factor):
            total += hits[row::factor, column::factor]
    shades: NDArray[np.uint8] = np.rint(np.arange(factor**2 + 1) * (255.0 / factor**2)).astype(np.uint8)
    return shades[total]


def coverages(raster: Raster, count: int, factor: int) -> NDArray[np.uint8]:
    """``coverage`` of the owners 0 .. ``count`` - 1 in one go, (count, height / factor, width / factor)."""
    height, width = raster.owners.shape[0] // factor, raster.owners.shape[1] // factor
    rows, columns = (np.arange(side * factor) // factor for side in (height, width))
    cells = (rows[:, None] * width + columns).ravel()
    owners = raster.owners.ravel()
    seen = np.flatnonzero(owners >= 0)
    total = np.bincount(owners[seen] * np.int64(height * width) + cells[seen], minlength=count * height * width)
    shades: NDArray[np.uint8] = np.rint(np.arange(factor**2 + 1) * (255.0 / factor**2)).astype(np.uint8)
    return shades[total].reshape(count, height, width)


def _parts(triangles: Floats, lens: Lens, width: int, height: int, stagger: float) -> Iterator[tuple[Floats, Ints]]:
    """The corners and the indices of the triangles that meet the picture, in parts of at most BLOCK triangles whose
    bounding boxes hold at most FRAGMENTS pixels."""
    for first in range(0, len(triangles), BLOCK):
        corners = _project(triangles[first : first + BLOCK], lens, width, height)
        (left, right), (top, bottom) = _range(corners[0], width, stagger), _range(corners[1], height)
        boxes = (right - left) * (bottom - top)
        drawn = np.flatnonzero(boxes)
        bins = np.cumsum(boxes[drawn]) // FRAGMENTS
        for part in np.split(drawn, np.flatnonzero(np.diff(bins)) + 1):
            yield corners[:, :, part], first + part


def _project(triangles: Floats, lens: Lens, width: int, height: int) -> Floats:
    """Columns, rows and values of the corners, (3, corners, n). The value is the depth, in perspective its inverse:
    affine over the picture."""
    points = np.ascontiguousarray(triangles.transpose(2, 1, 0))
    clip = np.tensordot(lens.projection[[0, 1, 3], :3], points, 1) + lens.projection[[0, 1, 3], 3].reshape(3, 1, 1)
    columns = (clip[0] / clip[2] + 1.0) * (width / 2)
    rows = (1.0 - clip[1] / clip[2]) * (height / 2)
    return np.stack([columns, rows, -1.0 / points[2] if lens.perspective else -points[2]])


def _range(corners: Floats, side: int, room: float = 0.0) -> tuple[Ints, Ints]:
    """The pixel centres between the least and the greatest of three corners, or within ``room`` of that: the first, and
    the one after the last."""
    return _centre(corners.min(axis=0) - room, side), _centre(corners.max(axis=0) + room, side)


def _centre(place: Floats, side: int) -> Ints:
    """The first pixel whose centre is not before ``place``, 0 .. side."""
    found: Ints = np.clip(np.ceil(place - 0.5), 0, side).astype(np.int64)
    return found


@dataclass(frozen=True, eq=False)
class _Spans:
    """Runs of pixels in a row, each inside one triangle: where they start, how long they are, and whose they are.

    ``value`` and ``last`` are the values at the first and the last pixel's centre.
    """

    row: Ints
    start: Ints
    length: Ints
    source: Ints
    value: Floats
    last: Floats

    def fragments(self, width: int) -> tuple[Ints, Floats]:
        """Pixel and value of every pixel centre of every span, one span after the other."""
        begin = self.row * width + self.start
        first = np.cumsum(self.length) - self.length
        pixels = np.arange(self.length.sum()) + np.repeat(begin - first, self.length)
        slope = (self.last - self.value) / np.maximum(self.length - 1, 1)
        values = pixels * np.repeat(slope, self.length)
        values += np.repeat(self.value - slope * begin, self.length)
        return pixels, values


def _spans(corners: Floats, part: Ints, width: int, height: int, stagger: float) -> _Spans:
    """The spans of the triangles of ``part``, whose corners these are."""
    top, bottom = _range(corners[1], height)
    which, row = _expand(top, bottom - top)
    left, right = _edges(corners[0], corners[1], which, row + 0.5)
    aside = np.where(row % 2, -stagger, stagger)
    start, stop = _centre(left - aside, width), _centre(right - aside, width)
    kept = np.flatnonzero(stop > start)
    which, row, start, stop, aside = which[kept], row[kept], start[kept], stop[kept], aside[kept]
    across, down, offset = _plane(corners)
    along = across[which] * aside + down[which] * (row + 0.5) + offset[which]
    # a sliver's plane may be steep beyond reason: never leave the range of its corners
    low, high = corners[2].min(axis=0)[which], corners[2].max(axis=0)[which]
    value, last = (np.clip(across[which] * (x + 0.5) + along, low, high) for x in (start, stop - 1))
    return _Spans(row, start, stop - start, part[which], value, last)


def _edges(x: Floats, y: Floats, which: Ints, rows: Floats) -> tuple[Floats, Floats]:
    """Where each row enters and leaves its triangle: between the edge from its upper to its lower corner, and one of
    the two edges beside that. An edge runs downwards in both its triangles, which then compute the very same crossing.
    """
    (x0, y0), (x1, y1), (x2, y2) = _downwards(x, y)
    slopes = np.stack([_slope(x0, y0, x2, y2), _slope(x0, y0, x1, y1), _slope(x1, y1, x2, y2)])
    one = x0[which] + (rows - y0[which]) * slopes[0, which]
    lower = (rows >= y1[which]).astype(np.int64)
    two = np.stack([x0, x1])[lower, which] + (rows - np.stack([y0, y1])[lower, which]) * slopes[lower + 1, which]
    return np.minimum(one, two), np.maximum(one, two)


def _downwards(x: Floats, y: Floats) -> list[tuple[Floats, Floats]]:
    """The three corners from the top of the picture to its bottom."""
    corners = [(x[k], y[k]) for k in range(3)]
    for upper, lower in ((0, 1), (1, 2), (0, 1)):
        (xa, ya), (xb, yb) = corners[upper], corners[lower]
        swap = ya > yb
        corners[upper] = np.where(swap, xb, xa), np.minimum(ya, yb)
        corners[lower] = np.where(swap, xa, xb), np.maximum(ya, yb)
    return corners


def _slope(x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> Floats:
    rise = y1 - y0
    slope: Floats = (x1 - x0) / np.where(rise > 0.0, rise, 1.0)
    return slope


def _plane(corners: Floats) -> tuple[Floats, Floats, Floats]:
    """Slope across, slope down and offset of the affine function with the corners' values; flat for slivers."""
    (ax, ay, av), (bx, by, bv) = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = ax * by - ay * bx
    scale = np.divide(1.0, area, out=np.zeros_like(area), where=area != 0.0)
    across, down = (av * by - bv * ay) * scale, (bv * ax - av * bx) * scale
    x, y, value = corners[:, 0]
    return across, down, value - across * x - down * y


def _keys(values: Floats, spans: _Spans, perspective: bool) -> NDArray[np.uint64]:
    """Numbers of which the nearest fragment has the greatest: nearness above, triangle below, so that ties have one
    winner. Positive floats order like their bits; an inverse depth is a nearness, a depth the contrary of one."""
    bits = values.astype(np.float32).view(np.uint32)
    nearness = bits if perspective else ~bits
    keys: NDArray[np.uint64] = nearness.astype(np.uint64) << np.uint64(32)
    keys |= np.repeat(spans.source.astype(np.uint64), spans.length)
    return keys


def _keep_nearest(nearest: NDArray[np.uint64], pixels: Ints, keys: NDArray[np.uint64]) -> None:
    """``nearest[pixels] = max(nearest[pixels], keys)``, pixels that come more than once included.

    ``np.maximum.at`` would say it in one line, but is ten times slower in the numpy of Blender 4.2.
    """
    while len(pixels):
        nearer = keys > nearest[pixels]
        pixels, keys = pixels[nearer], keys[nearer]
        nearest[pixels] = keys  # of one pixel's fragments the last stays; nearer ones come again


def _resolve(nearest: NDArray[np.uint64], owners: Ints, footprint: NDArray[np.bool_], perspective: bool) -> Raster:
    _, height, width = footprint.shape
    visible = np.full(width * height, NOTHING, dtype=np.int32)
    depth = np.full(width * height, np.inf, dtype=np.float32)
    seen = np.flatnonzero(nearest)
    keys = nearest[seen]
    visible[seen] = owners[(keys & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    bits = (keys >> np.uint64(32)).astype(np.uint32)
    depth[seen] = 1.0 / bits.view(np.float32) if perspective else (~bits).view(np.float32)
    return Raster(visible.reshape(height, width), depth.reshape(height, width), footprint)


def _expand(start: Ints, count: Ints) -> tuple[Ints, Ints]:
    """For each i the numbers start[i] .. start[i] + count[i] - 1: the i's, and the numbers."""
    which = np.repeat(np.arange(len(count)), count)
    shift = start - (np.cumsum(count) - count)
    return which, np.arange(len(which)) + shift[which]
