# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces of three and of four corners cut into triangles, as Blender cuts them. numpy, no bpy."""

import numpy as np
from numpy.typing import NDArray

from ..cooperative import Slices
from .triangles import PIECE, Indices, Singles

BLOCK = 1 << 13  # faces at once: few enough to stay in the cache, half a millisecond's work


def counted(faces: Indices) -> Slices[Indices]:
    """Of how many triangles each face is; ``faces`` are those that one triangle after another is of, in order."""
    counts = np.zeros(int(faces[-1]) + 1 if len(faces) else 0, np.int32)
    for begin in range(0, len(faces), PIECE):
        piece = faces[begin : begin + PIECE]
        number = np.bincount(piece - piece[0])
        counts[piece[0] : piece[0] + len(number)] += number.astype(np.int32)
        yield
    return counts


def divided(points: Singles, corners: Indices, cuts: Indices) -> Slices[Indices]:
    """Triangles (n, 3), each face's after those of the faces before it.

    ``corners`` are the points of one face after another, ``cuts`` the triangles of each: 1 or 2.
    """
    triangles = np.empty((len(corners) - 2 * len(cuts), 3), np.int32)
    corner = triangle = 0
    for begin in range(0, len(cuts), BLOCK):
        block = cuts[begin : begin + BLOCK]
        begun, triangle = triangle, triangle + int(block.sum())
        first, corner = corner, corner + triangle - begun + 2 * len(block)
        _divide(points, corners[first:corner], block, triangles[begun:triangle])
        yield
    return triangles


def _divide(points: Singles, corners: Indices, cuts: Indices, into: Indices) -> None:
    if len(into) == len(cuts):
        into[:] = corners.reshape(-1, 3)
    elif len(into) == 2 * len(cuts):
        _halve(points, corners.reshape(-1, 4), into[0::2], into[1::2])
    else:
        first, last = np.cumsum(cuts + 2) - (cuts + 2), np.cumsum(cuts) - 1
        single, double = cuts == 1, cuts == 2
        into[last[single]] = corners[first[single, None] + (0, 1, 2)]
        halves = np.empty((2, np.count_nonzero(double), 3), np.int32)
        _halve(points, corners[first[double, None] + (0, 1, 2, 3)], *halves)
        into[last[double] - 1], into[last[double]] = halves


def _halve(points: Singles, quads: Indices, one: Indices, other: Indices) -> None:
    """Cut quads (n, 4) from the first corner to the third; those that are folded there, along the other diagonal."""
    one[:], other[:, 0], other[:, 1:] = quads[:, :3], quads[:, 0], quads[:, 2:]
    folded = np.flatnonzero(_folded(*(points.take(corner, axis=0) for corner in quads.T)))
    one[folded, 2], other[folded, 0] = quads[folded, 3], quads[folded, 1]


def _folded(a: Singles, b: Singles, c: Singles, d: Singles) -> NDArray[np.bool_]:
    """Whether b and d lie on one side of the line from a to c."""
    with np.errstate(invalid="ignore", over="ignore"):
        one, across, other = b - a, c - a, d - a

    def dot(left: Singles, right: Singles) -> Singles:
        product: Singles = np.einsum("ij,ij->i", left, right)
        return product

    # (one x across) . (other x across), without the cross products
    with np.errstate(invalid="ignore", over="ignore"):  # damaged points, whose triangles are left out later
        folded: NDArray[np.bool_] = dot(one, other) * dot(across, across) > dot(one, across) * dot(other, across)
    return folded
