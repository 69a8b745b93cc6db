# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles cut at the planes before and behind which a camera sees nothing."""

import numpy as np
from numpy.typing import NDArray

from .triangles import Floats, Owners, Triangles, joined, soup


def clip(triangles: Triangles, near: float, far: float) -> Triangles:
    """What of ``triangles`` lies between two depths."""
    return _clip_at_plane(_clip_at_plane(triangles, near, 1.0), far, -1.0)


def _clip_at_plane(triangles: Triangles, plane: float, side: float) -> Triangles:
    """Cut away what lies nearer than ``plane`` (``side`` 1) or farther (``side`` -1); a cut triangle leaves 1 or 2."""
    distance = side * (-triangles.points[:, 2] - plane)
    inside = distance >= 0.0
    if inside.all():
        return triangles
    first, second, third = (inside[corner].view(np.int8) for corner in triangles.corners.T)
    number = first + second + third  # of corners inside
    uncut = np.flatnonzero(number == 3)
    tips, tip_owners = _rotated(triangles, distance, inside, number == 1)
    stumps, stump_owners = _rotated(triangles, distance, ~inside, number == 2)
    left, right = _crossing(*stumps, 1), _crossing(*stumps, 2)
    tip_corners, stump_corners = tips[0], stumps[0]
    pieces = [
        np.stack([tip_corners[:, 0], _crossing(*tips, 1), _crossing(*tips, 2)], axis=1),
        np.stack([left, stump_corners[:, 1], stump_corners[:, 2]], axis=1),
        np.stack([left, stump_corners[:, 2], right], axis=1),
    ]
    inner = Triangles(triangles.points, triangles.corners.take(uncut, axis=0), triangles.owners[uncut])
    return joined([inner, soup(np.concatenate(pieces), np.concatenate([tip_owners, stump_owners, stump_owners]))])


def _rotated(
    triangles: Triangles, distance: Floats, alone: NDArray[np.bool_], selection: NDArray[np.bool_]
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
