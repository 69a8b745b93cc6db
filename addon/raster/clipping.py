# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles cut at the planes before and behind which a camera sees nothing."""

import numpy as np
from numpy.typing import NDArray

from .triangles import Floats, Owners, Triangles, joined, soup


def clip(triangles: Triangles, near: float, far: float) -> Triangles:
    """What of ``triangles`` lies between two depths."""
    return _cut_off(_cut_off(triangles, near, 1.0), far, -1.0)


def _cut_off(triangles: Triangles, plane: float, side: float) -> Triangles:
    """Cut away what lies nearer than ``plane`` (``side`` 1) or farther (``side`` -1); a cut triangle leaves 1 or 2."""
    distance = side * (-triangles.points[:, 2] - plane)
    inside = distance >= 0.0
    if inside.all():
        return triangles
    one, two, three = (inside[corner].view(np.int8) for corner in triangles.corners.T)
    number = one + two + three
    whole = np.flatnonzero(number == 3)
    ones, one_owners = _turned(triangles, distance, inside, number == 1)
    twos, two_owners = _turned(triangles, distance, ~inside, number == 2)
    left, right = _cut(*twos, 1), _cut(*twos, 2)
    corners, others = ones[0], twos[0]
    pieces = [
        np.stack([corners[:, 0], _cut(*ones, 1), _cut(*ones, 2)], axis=1),
        np.stack([left, others[:, 1], others[:, 2]], axis=1),
        np.stack([left, others[:, 2], right], axis=1),
    ]
    kept = Triangles(triangles.points, triangles.corners.take(whole, axis=0), triangles.owners[whole])
    return joined([kept, soup(np.concatenate(pieces), np.concatenate([one_owners, two_owners, two_owners]))])


def _turned(
    triangles: Triangles, distance: Floats, odd: NDArray[np.bool_], chosen: NDArray[np.bool_]
) -> tuple[tuple[Floats, Floats], Owners]:
    """The chosen triangles and their distances, turned so that the corner alone on its side comes first."""
    corners = triangles.corners[chosen]
    order = (odd[corners].argmax(axis=1)[:, None] + np.arange(3)) % 3
    corners = np.take_along_axis(corners, order, axis=1)
    return (triangles.points[corners], distance[corners]), triangles.owners[chosen]


def _cut(corners: Floats, distance: Floats, other: int) -> Floats:
    """Where the edge from corner 0 to corner ``other`` meets the plane."""
    part = distance[:, 0] / (distance[:, 0] - distance[:, other])
    met: Floats = corners[:, 0] + part[:, None] * (corners[:, other] - corners[:, 0])
    return met
