# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles that share points, as the rasteriser takes them. numpy, no bpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def joined(pieces: Sequence[Triangles]) -> Triangles:
    """All of several, in their order."""
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    return Triangles(
        np.concatenate([piece.points for piece in pieces]),
        np.concatenate([piece.corners + np.int32(start) for piece, start in zip(pieces, starts, strict=False)]),
        np.concatenate([piece.owners for piece in pieces]),
    )
