# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage to outlines: marching squares on a grid of cells, simplified, and cut into dashes. numpy, no bpy.

Grids are (height, width), rows from the top; points are (x right, y down) in fractions of the grid, 0..1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .triangles import Floats

SOFT, HARD = 0.5, 0.6  # cells; the steps that an anti-aliased, or a hard, edge may have, and an outline should not

# Of a square of four values (top left, top right, bottom right, bottom left: bits 1, 2, 4, 8), the sides an outline
# crosses, with what is covered on its right hand. Sides are 0 top, 1 right, 2 bottom, 3 left.
CROSSINGS: tuple[tuple[tuple[int, int], ...], ...] = (
    (), ((0, 3),), ((1, 0),), ((1, 3),), ((2, 1),), ((0, 3), (2, 1)), ((2, 0),), ((2, 3),),
    ((3, 2),), ((0, 2),), ((1, 0), (3, 2)), ((1, 2),), ((3, 1),), ((0, 1),), ((3, 0),), (),
)  # fmt: skip


def outlines(coverage: NDArray[np.generic], level: float, tolerance: float) -> list[Floats]:
    """The closed lines (n, 2) at which ``coverage`` crosses ``level``; the last point of each is its first again.

    Outside the grid nothing is covered. Between the centres of two cells the crossing is interpolated, so that
    anti-aliased coverage gives outlines finer than its cells. They are simplified to ``tolerance``, in cells.
    """
    height, width = coverage.shape
    values = np.pad(coverage.astype(np.float64), 1) - level
    loops = _loops(_segments(values))
    scale = np.array([1.0 / width, 1.0 / height])
    simple = [simplified(_points(loop, values) - 0.5, tolerance) for loop in loops]
    return [np.clip(points * scale, 0.0, 1.0) for points in simple if len(points) > 3]


def _segments(values: Floats) -> dict[tuple[int, int, int], tuple[int, int, int]]:
    """Where an outline goes on from each crossing. A crossing is a grid edge: row, column, and 1 if it runs down."""
    inside = (values > 0.0).astype(np.uint8)
    codes = inside[:-1, :-1] | inside[:-1, 1:] << 1 | inside[1:, 1:] << 2 | inside[1:, :-1] << 3
    edges = ((0, 0, 0), (0, 1, 1), (1, 0, 0), (0, 0, 1))  # top, right, bottom, left of a square
    following = {}
    for row, column in np.argwhere((codes > 0) & (codes < 15)).tolist():
        for start, end in CROSSINGS[codes[row, column]]:
            (down, right, turn), (down_, right_, turn_) = edges[start], edges[end]
            following[row + down, column + right, turn] = (row + down_, column + right_, turn_)
    return following


def _loops(following: dict[tuple[int, int, int], tuple[int, int, int]]) -> list[list[tuple[int, int, int]]]:
    loops = []
    while following:
        first, crossing = following.popitem()
        loop = [first]
        while crossing != first:
            loop.append(crossing)
            crossing = following.pop(crossing)
        loops.append([*loop, first])
    return loops


def _points(loop: Sequence[tuple[int, int, int]], values: Floats) -> Floats:
    """Crossings as points, (n, 2), in cells; the centre of the first cell inside the padding is (1, 1) - 1/2."""
    rows, columns, turns = np.array(loop).T
    start, end = values[rows, columns], values[rows + turns, columns + 1 - turns]
    fraction = start / (start - end)
    return np.stack([columns + fraction * (1 - turns), rows + fraction * turns], axis=1)


def simplified(points: Floats, tolerance: float) -> Floats:
    """A closed line with as few of its points as keep it within ``tolerance`` (Douglas and Peucker 1973)."""
    farthest = int(np.argmax(((points - points[0]) ** 2).sum(1)))
    necessary = np.zeros(len(points), dtype=bool)
    necessary[[0, farthest, -1]] = True
    stretches = [(0, farthest), (farthest, len(points) - 1)]
    while stretches:
        start, end = stretches.pop()
        if end - start < 2:
            continue
        distances = _distances(points[start + 1 : end], points[start], points[end])
        worst = int(np.argmax(distances))
        if distances[worst] > tolerance:
            middle = start + 1 + worst
            necessary[middle] = True
            stretches += [(start, middle), (middle, end)]
    reduced: Floats = points[necessary]
    return reduced


def _distances(points: Floats, start: Floats, end: Floats) -> Floats:
    """Distances of points from the line through two others; from the point, where the two are one."""
    along = end - start
    length = float(np.hypot(*along))
    offset = points - start
    if length == 0.0:
        from_start: Floats = np.hypot(offset[:, 0], offset[:, 1])
        return from_start
    from_line: Floats = np.abs(offset[:, 0] * along[1] - offset[:, 1] * along[0]) / length
    return from_line


def solid(line: Floats) -> Floats:
    """A line (n, 2) as its segments, (n - 1, 2, 2)."""
    return np.stack([line[:-1], line[1:]], axis=1)


def dashed(line: Floats, on: float, off: float, aspect: float) -> Floats:
    """A line (n, 2) as dashes, (m, 2, 2), ``on`` long and ``off`` apart, in heights; x is stretched by ``aspect``."""
    steps = np.hypot(*(np.diff(line, axis=0) * [aspect, 1.0]).T)
    corners = np.concatenate([[0.0], np.cumsum(steps)])  # distances along the line, as are all below
    starts = np.arange(0.0, corners[-1], on + off)
    # a dash bends where the line does: cut the line at every corner and at every end of a dash, and keep what is on
    cuts = np.unique(np.concatenate([corners, starts, np.minimum(starts + on, corners[-1])]))
    points = np.stack([np.interp(cuts, corners, line[:, axis]) for axis in (0, 1)], axis=1)
    middles = (cuts[1:] + cuts[:-1]) / 2
    pieces: Floats = solid(points)[np.mod(middles, on + off) < on]
    return pieces
