# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles that share points, as the rasteriser takes them. numpy, no bpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cooperative import Slices

PIECE = 1 << 15  # points or triangles at once, about a millisecond's work
PAGE = 1 << 21  # bytes of memory that a system clears at a time, when they are first written to: a millisecond or two

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]
Indices = NDArray[np.int32]
Owners = NDArray[np.int32]  # indices of whatever a triangle belongs to, or NOTHING


@dataclass(frozen=True, eq=False)
class Triangles:
    """``points`` (p, 3) in camera space, ``corners`` (n, 3) int32, which index them, and ``owners`` (n,) int32."""

    points: Floats
    corners: Indices
    owners: Owners

    def __len__(self) -> int:
        return len(self.corners)


def soup(triangles: Floats, owners: NDArray[np.integer[Any]]) -> Triangles:
    """Triangles (n, 3, 3) that share no points."""
    corners = np.arange(3 * len(triangles), dtype=np.int32).reshape(-1, 3)
    return Triangles(triangles.reshape(-1, 3), corners, owners.astype(np.int32))


def joined(pieces: Sequence[Triangles]) -> Slices[Triangles]:
    """All of several, in their order."""
    points = np.empty((sum(len(piece.points) for piece in pieces), 3))
    corners = np.empty((sum(map(len, pieces)), 3), np.int32)
    owners = np.empty(len(corners), np.int32)
    yield from touching(points, corners, owners)
    point = corner = 0
    for piece in pieces:
        first = np.int32(point)
        for begin in range(0, len(piece.points), PIECE):
            begun, point = point, min(point + PIECE, int(first) + len(piece.points))
            points[begun:point] = piece.points[begin : begin + PIECE]
            yield
        for begin in range(0, len(piece), PIECE):
            some = piece.corners[begin : begin + PIECE]
            begun, corner = corner, corner + len(some)
            np.add(some, first, out=corners[begun:corner])
            owners[begun:corner] = piece.owners[begin : begin + PIECE]
            yield
    return Triangles(points, corners, owners)


def some_of(triangles: Triangles, chosen: Ints) -> Slices[Triangles]:
    """Those of the triangles at these indices, with all points."""
    corners, owners = np.empty((len(chosen), 3), np.int32), np.empty(len(chosen), np.int32)
    yield from touching(corners, owners)
    for begin in range(0, len(chosen), PIECE):
        some = slice(begin, begin + PIECE)
        corners[some], owners[some] = triangles.corners.take(chosen[some], axis=0), triangles.owners[chosen[some]]
        yield
    return Triangles(triangles.points, corners, owners)


def touching(*arrays: NDArray[Any]) -> Slices[None]:
    """Have the system clear the memory of new ``arrays`` (C-contiguous), a page at a time. They contain anything
    afterwards. Whoever writes to several at once would wait for a page of each."""
    for array in arrays:
        values = array.reshape(-1)
        for begin in range(0, len(values), PAGE // array.itemsize):
            values[begin] = 0
            yield
