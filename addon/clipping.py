# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles cut at the planes before and behind which a camera sees nothing."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def clip(triangles: Floats, owners: Ints, near: float, far: float) -> tuple[Floats, Ints]:
    """What of ``triangles``, (n, 3, 3) in camera space, lies between two depths, and its owners, (n,)."""
    depth = -triangles[:, :, 2]
    if depth.min(initial=near) < near:
        triangles, owners = _cut_off(triangles, owners, near, 1.0)
    if depth.max(initial=far) > far:
        triangles, owners = _cut_off(triangles, owners, far, -1.0)
    return triangles, owners


def _cut_off(triangles: Floats, owners: Ints, plane: float, side: float) -> tuple[Floats, Ints]:
    """Cut away what lies nearer than ``plane`` (``side`` 1) or farther (``side`` -1); a cut triangle leaves 1 or 2."""
    distance = side * (-triangles[:, :, 2] - plane)
    inside = distance >= 0.0
    number = inside.sum(axis=1)
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
