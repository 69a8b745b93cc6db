# SPDX-License-Identifier: GPL-3.0-or-later
"""Which triangles are worth painting, and when: not those that meet no pixel's centre, and first those that face the
camera, since they hide most of the others (back-face and occlusion culling). numpy, no bpy."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cooperative import Slices
from .lens import Lens
from .scanlines import centre
from .triangles import PIECE, Floats, Indices, Ints, Owners, Triangles, touching
from .zbuffer import ZBuffer

BLOCK = 1 << 13  # triangles at once: few enough to stay in the cache
FRAGMENTS = 1 << 16  # at once, an upper bound of a millisecond's work


@dataclass(frozen=True, eq=False)
class TriangleBatch:
    """Triangles: their ``numbers`` (n,), ``corners`` (3, n) as numbers of points, and the pixels (left, top, right,
    bottom) whose centres their bounding ``boxes`` (4, n) hold, right and bottom being the first ones outside."""

    numbers: Ints
    corners: Ints
    boxes: Indices

    def select(self, indices: Ints) -> "TriangleBatch":
        """Some of them."""
        corners, boxes = self.corners.take(indices, axis=1), self.boxes.take(indices, axis=1)
        return TriangleBatch(self.numbers[indices], corners, boxes)


class TriangleStream:
    """The triangles on a grid of pixels, for rasterise: ``points`` are columns, rows and values, (3, p); ``left``,
    ``right`` and ``rows`` say with which pixels' centres those begin."""

    def __init__(self, triangles: Triangles, points: Floats, left: Indices, right: Indices, rows: Indices) -> None:
        self._triangles, self._points = triangles, points
        self._left, self._right, self._rows = left, right, rows

    def batches(self, z_buffer: ZBuffer) -> Iterator[tuple[Floats, Owners]]:
        """Columns, rows and values of the corners, (3, 3, n), and the owners, of at most BLOCK triangles at once whose
        boxes hold at most FRAGMENTS pixels. Each batch must be in the z-buffer before the next is asked for."""
        postponed = []
        for begin in range(0, len(self._triangles), BLOCK):
            batch = self._on_pixels(np.arange(begin, min(begin + BLOCK, len(self._triangles))))
            back_facing = self._back_facing(batch)
            postponed.append(batch.numbers[back_facing])
            yield from self._split(batch.select(np.flatnonzero(~back_facing)))
        occlusion = z_buffer.occlusion()
        for numbers in postponed:
            batch = self._on_pixels(numbers)
            hidden = occlusion.hides(batch.boxes, self._points[2].take(batch.corners))
            yield from self._split(batch.select(np.flatnonzero(~hidden)))

    def _on_pixels(self, numbers: Ints) -> TriangleBatch:
        """Of those triangles the ones whose boxes hold a pixel's centre."""
        corners = self._triangles.corners.take(numbers, axis=0).T.astype(np.int64)
        left, right, rows = self._left.take(corners), self._right.take(corners), self._rows.take(corners)
        boxes = np.stack([_least(left), _least(rows), _greatest(right), _greatest(rows)])
        filled = np.flatnonzero((boxes[2] > boxes[0]) & (boxes[3] > boxes[1]))
        return TriangleBatch(numbers, corners, boxes).select(filled)

    def _back_facing(self, batch: TriangleBatch) -> NDArray[np.bool_]:
        """Which turn clockwise on the picture, as Blender's faces do when they show their backs. No more than a guess:
        whatever it says, everything nearest is painted."""
        (ax, bx, cx), (ay, by, cy) = (side.take(batch.corners) for side in self._points[:2])
        clockwise: NDArray[np.bool_] = (bx - ax) * (cy - ay) > (by - ay) * (cx - ax)
        return clockwise

    def _split(self, batch: TriangleBatch) -> Iterator[tuple[Floats, Owners]]:
        left, top, right, bottom = batch.boxes.astype(np.int64)
        bins = np.cumsum((right - left) * (bottom - top)) // FRAGMENTS
        for part in np.split(np.arange(len(bins)), np.flatnonzero(np.diff(bins)) + 1):
            corners = np.take(self._points, batch.corners.take(part, axis=1), axis=1)
            yield corners, self._triangles.owners[batch.numbers[part]]


def _least(corners: Indices) -> Indices:
    least: Indices = np.minimum(np.minimum(corners[0], corners[1]), corners[2])
    return least


def _greatest(corners: Indices) -> Indices:
    greatest: Indices = np.maximum(np.maximum(corners[0], corners[1]), corners[2])
    return greatest


def streaming(triangles: Triangles, lens: Lens, width: int, height: int, stagger: float) -> Slices[TriangleStream]:
    """The stream of triangles in camera space."""
    points = np.empty((3, len(triangles.points)))
    left, right, rows = (np.empty(len(triangles.points), np.int32) for _ in range(3))
    yield from touching(points, left, right, rows)
    for begin in range(0, len(triangles.points), PIECE):
        some = slice(begin, begin + PIECE)
        points[:, some] = _project(triangles.points[some], lens, width, height)
        left[some], right[some] = (centre(points[0, some] + aside, width) for aside in (-stagger, stagger))
        rows[some] = centre(points[1, some], height)
        yield
    return TriangleStream(triangles, points, left, right, rows)


def _project(points: Floats, lens: Lens, width: int, height: int) -> Floats:
    """Columns, rows and values, (3, n), of points (n, 3). The value is the depth, in perspective its inverse: affine
    over the picture."""
    across, down, scale = lens.projection[[0, 1, 3], :3] @ points.T + lens.projection[[0, 1, 3], 3][:, None]
    value = -1.0 / points[:, 2] if lens.perspective else -points[:, 2]
    return np.stack([(across / scale + 1.0) * (width / 2), (1.0 - down / scale) * (height / 2), value])
