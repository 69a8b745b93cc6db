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

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NOTHING = -1
FRAGMENTS = 4_000_000  # at once, an upper bound that keeps a dense scene under about half a gigabyte


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


def rasterise(triangles: Floats, owners: Ints, lens: Lens, width: int, height: int, count: int = 0) -> Raster:
    """Draw ``triangles``, (n, 3, 3) in camera space, owned by ``owners``, (n,), onto a grid of pixels.

    An owner of NOTHING hides what lies behind it and is itself seen as NOTHING. Footprints are kept of the owners
    0 .. ``count`` - 1. Facing does not matter: both sides of a triangle are drawn.
    """
    triangles, owners = _clip(triangles, owners, lens.near, 1.0)
    triangles, owners = _clip(triangles, owners, lens.far, -1.0)
    corners, values = _project(triangles, lens, width, height)
    nearest = np.full(width * height, np.iinfo(np.uint64).max, dtype=np.uint64)
    footprint = np.zeros((count, width * height), dtype=bool)
    for part in _parts(corners, width, height):
        pixels, depths, sources = _fragments(corners, values, part, lens.perspective, width, height)
        # positive floats order like their bits: depth above, triangle below, and ties have one deterministic winner
        keys = depths.view(np.uint32).astype(np.uint64) << np.uint64(32) | sources.astype(np.uint64)
        np.minimum.at(nearest, pixels, keys)
        named = owners[sources]
        kept = (named >= 0) & (named < count)
        footprint[named[kept], pixels[kept]] = True
    return _resolve(nearest, owners, footprint, width, height)


def coverage(hits: NDArray[np.bool_], factor: int) -> NDArray[np.uint8]:
    """Anti-aliased coverage, 0..255, of cells of ``factor`` x ``factor`` samples; it divides height and width."""
    height, width = hits.shape
    cells = hits.reshape(height // factor, factor, width // factor, factor).mean(axis=(1, 3))
    rounded: NDArray[np.uint8] = np.rint(cells * 255.0).astype(np.uint8)
    return rounded


def _resolve(
    nearest: NDArray[np.uint64], owners: Ints, footprint: NDArray[np.bool_], width: int, height: int
) -> Raster:
    seen = nearest != np.iinfo(np.uint64).max
    visible = np.full(width * height, NOTHING, dtype=np.int32)
    visible[seen] = owners[(nearest[seen] & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    depth = np.full(width * height, np.inf, dtype=np.float32)
    depth[seen] = (nearest[seen] >> np.uint64(32)).astype(np.uint32).view(np.float32)
    shape = (height, width)
    return Raster(visible.reshape(shape), depth.reshape(shape), footprint.reshape(-1, *shape))


def _clip(triangles: Floats, owners: Ints, plane: float, side: float) -> tuple[Floats, Ints]:
    """Cut away what lies nearer than ``plane`` (``side`` 1) or farther (``side`` -1); a cut triangle leaves 1 or 2."""
    distance = side * (-triangles[:, :, 2] - plane)
    inside = distance >= 0.0
    number = inside.sum(axis=1)
    if (number == 3).all():
        return triangles, owners
    whole = number == 3
    ones, one_owners = _turned(triangles, owners, distance, inside, number == 1)
    twos, two_owners = _turned(triangles, owners, distance, ~inside, number == 2)
    first, second = _cut(*ones, 1), _cut(*ones, 2)
    left, right = _cut(*twos, 1), _cut(*twos, 2)
    corners, others = ones[0], twos[0]
    pieces = [
        triangles[whole],
        np.stack([corners[:, 0], first, second], axis=1),
        np.stack([left, others[:, 1], others[:, 2]], axis=1),
        np.stack([left, others[:, 2], right], axis=1),
    ]
    return np.concatenate(pieces), np.concatenate([owners[whole], one_owners, two_owners, two_owners])


def _turned(
    triangles: Floats, owners: Ints, distance: Floats, odd: NDArray[np.bool_], chosen: NDArray[np.bool_]
) -> tuple[tuple[Floats, Floats], Ints]:
    """The chosen triangles and their distances, turned so that the corner alone on its side comes first."""
    start = odd[chosen].argmax(axis=1)
    order = (start[:, None] + np.arange(3)) % 3
    rows = np.arange(len(order))[:, None]
    return (triangles[chosen][rows, order], distance[chosen][rows, order]), owners[chosen]


def _cut(corners: Floats, distance: Floats, other: int) -> Floats:
    """Where the edge from corner 0 to corner ``other`` meets the plane."""
    part = distance[:, 0] / (distance[:, 0] - distance[:, other])
    met: Floats = corners[:, 0] + part[:, None] * (corners[:, other] - corners[:, 0])
    return met


def _project(triangles: Floats, lens: Lens, width: int, height: int) -> tuple[Floats, Floats]:
    """Corners in pixels, (n, 3, 2), and their depth, (n, 3), inverse in perspective: affine over the picture."""
    clip = triangles @ lens.projection[:, :3].T + lens.projection[:, 3]
    x = (clip[:, :, 0] / clip[:, :, 3] + 1.0) * (width / 2)
    y = (1.0 - clip[:, :, 1] / clip[:, :, 3]) * (height / 2)
    depth = -triangles[:, :, 2]
    return np.stack([x, y], axis=2), (1.0 / depth if lens.perspective else depth)


def _parts(corners: Floats, width: int, height: int) -> Iterator[Ints]:
    """Indices of the triangles that meet the picture, in parts whose bounding boxes hold at most FRAGMENTS pixels."""
    limits = np.array([width, height])
    low = np.clip(np.ceil(corners.min(axis=1) - 0.5), 0, limits)
    high = np.clip(np.ceil(corners.max(axis=1) - 0.5), 0, limits)
    boxes = np.prod(high - low, axis=1)
    drawn = np.flatnonzero(boxes)
    bins = (np.cumsum(boxes[drawn]) // FRAGMENTS).astype(np.int64)
    yield from np.split(drawn, np.flatnonzero(np.diff(bins)) + 1) if len(drawn) else ()


def _fragments(
    corners: Floats, values: Floats, part: Ints, perspective: bool, width: int, height: int
) -> tuple[Ints, NDArray[np.float32], Ints]:
    """Pixel, depth and triangle of every pixel centre that the triangles of ``part`` cover."""
    xy, value = corners[part], values[part]
    which, y = _rows(xy, height)
    left, right = _edges(xy, which, y + 0.5)
    start = np.clip(np.ceil(left - 0.5), 0, width).astype(np.int64)
    stop = np.clip(np.ceil(right - 0.5), 0, width).astype(np.int64)
    span, x = _expand(start, stop - start)
    triangle = which[span]
    gradient, offset = _plane(xy, value)
    along = gradient[which, 1] * (y + 0.5) + offset[which]
    depth = gradient[triangle, 0] * (x + 0.5) + along[span]
    # a sliver's plane may be steep beyond reason: never leave the range of its corners
    depth = np.clip(depth, value.min(axis=1)[triangle], value.max(axis=1)[triangle])
    if perspective:
        depth = 1.0 / depth
    return y[span] * width + x, depth.astype(np.float32), part[triangle]


def _rows(xy: Floats, height: int) -> tuple[Ints, Ints]:
    """Which triangle crosses which row of pixel centres, one pair an entry."""
    top = np.clip(np.ceil(xy[:, :, 1].min(axis=1) - 0.5), 0, height).astype(np.int64)
    bottom = np.clip(np.ceil(xy[:, :, 1].max(axis=1) - 0.5), 0, height).astype(np.int64)
    return _expand(top, bottom - top)


def _edges(xy: Floats, which: Ints, y: Floats) -> tuple[Floats, Floats]:
    """Where row ``y`` enters and leaves its triangle."""
    left, right = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    for start, end in ((0, 1), (1, 2), (2, 0)):
        upper, lower = _ordered(xy[:, start], xy[:, end])
        rise = np.where(lower[:, 1] > upper[:, 1], lower[:, 1] - upper[:, 1], 1.0)
        slope = (lower[:, 0] - upper[:, 0]) / rise
        x = upper[which, 0] + (y - upper[which, 1]) * slope[which]
        crossed = (upper[which, 1] <= y) & (y < lower[which, 1])
        left = np.where(crossed, np.minimum(left, x), left)
        right = np.where(crossed, np.maximum(right, x), right)
    return left, right


def _ordered(start: Floats, end: Floats) -> tuple[Floats, Floats]:
    """An edge from its upper to its lower end: both its triangles then compute the very same crossing."""
    swap = (start[:, 1] > end[:, 1])[:, None]
    return np.where(swap, end, start), np.where(swap, start, end)


def _plane(xy: Floats, value: Floats) -> tuple[Floats, Floats]:
    """Gradient (n, 2) and offset (n,) of the affine function with ``value`` at the corners; flat for slivers."""
    a, b = xy[:, 1] - xy[:, 0], xy[:, 2] - xy[:, 0]
    p, q = value[:, 1] - value[:, 0], value[:, 2] - value[:, 0]
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    scale = np.divide(1.0, area, out=np.zeros_like(area), where=area != 0.0)
    gradient = np.stack([(p * b[:, 1] - q * a[:, 1]) * scale, (q * a[:, 0] - p * b[:, 0]) * scale], axis=1)
    return gradient, value[:, 0] - (gradient * xy[:, 0]).sum(axis=1)


def _expand(start: Ints, count: Ints) -> tuple[Ints, Ints]:
    """For each i the numbers start[i] .. start[i] + count[i] - 1: the i's, and the numbers."""
    count = np.maximum(count, 0)
    which = np.repeat(np.arange(len(count)), count)
    shift = start - (np.cumsum(count) - count)
    return which, np.arange(len(which)) + shift[which]
