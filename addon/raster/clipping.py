# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles cut at the planes before and behind which a camera sees nothing."""

import numpy as np
from numpy.typing import NDArray

from ..cooperative import Slices
from .triangles import PIECE, Bools, Floats, Owners, Triangles, joined, some_of, soup


def clip(triangles: Triangles, near: float, far: float) -> Slices[Triangles]:
    """What of ``triangles`` lies between two depths."""
    nearer = yield from _clip_at_plane(triangles, near, 1.0)
    clipped = yield from _clip_at_plane(nearer, far, -1.0)
    return clipped


def _clip_at_plane(triangles: Triangles, plane: float, side: float) -> Slices[Triangles]:
    """Cut away what lies nearer than ``plane`` (``side`` 1) or farther (``side`` -1); a cut triangle leaves 1 or 2."""
    distance = np.empty(len(triangles.points))
    inside = np.empty(len(distance), bool)
    for begin in range(0, len(distance), PIECE):
        some = slice(begin, begin + PIECE)
        distance[some] = side * (-triangles.points[some, 2] - plane)
        inside[some] = distance[some] >= 0.0
        yield
    if inside.all():
        return triangles
    number = np.empty(len(triangles), np.int8)  # of corners inside
    for begin in range(0, len(number), PIECE):
        first, second, third = inside[triangles.corners[begin : begin + PIECE]].view(np.int8).T
        number[begin : begin + PIECE] = first + second + third
        yield
    whole = yield from some_of(triangles, np.flatnonzero(number == 3))
    yield
    cut = _cut(triangles, distance, inside, number)
    return (yield from joined([whole, cut]))


def _cut(triangles: Triangles, distance: Floats, inside: Bools, number: NDArray[np.int8]) -> Triangles:
    """What is left of those that the plane goes through."""
    tips, tip_owners = _rotated(triangles, distance, inside, number == 1)
    stumps, stump_owners = _rotated(triangles, distance, ~inside, number == 2)
    left, right = _crossing(*stumps, 1), _crossing(*stumps, 2)
    tip_corners, stump_corners = tips[0], stumps[0]
    pieces = [
        np.stack([tip_corners[:, 0], _crossing(*tips, 1), _crossing(*tips, 2)], axis=1),
        np.stack([left, stump_corners[:, 1], stump_corners[:, 2]], axis=1),
        np.stack([left, stump_corners[:, 2], right], axis=1),
    ]
    return soup(np.concatenate(pieces), np.concatenate([tip_owners, stump_owners, stump_owners]))


def _rotated(
    triangles: Triangles, distance: Floats, alone: Bools, selection: Bools
) -> tuple[tuple[Floats, Floats], Owners]:
    """The selected triangles and their distances, their corners rotated so that the one alone on its side is first."""
    corners = triangles.corners[selection]
    order = (alone[corners].argmax(axis=1)[:, None] + np.arange(3)) % 3
    corners = np.take_along_axis(corners, order, axis=1)
    return (triangles.points[corners], distance[corners]), triangles.owners[selection]


def _crossing(corners: Floats, distance: Floats, other: int) -> Floats:
    """Where the edge from corner 0 to corner ``other`` meets the plane."""
    fraction = distance[:, 0] / (distance[:, 0] - distance[:, other])
    crossing: Floats = corners[:, 0] + fraction[:, None] * (corners[:, other] - corners[:, 0])
    return crossing
