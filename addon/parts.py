# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes where they stand, and what a camera makes of them: triangles in its own space. numpy, no bpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .raster import Floats, Ints
from .slices import Slices

PIECE = 1 << 14  # triangles gathered at once, under a millisecond's work


@dataclass(frozen=True, eq=False)
class Mesh:
    """``points`` (p, 3) in the mesh's own space, and ``triangles`` (n, 3) of indices into them."""

    points: NDArray[np.float32]
    triangles: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh, the ``matrix`` (4, 4) that takes it into the world, and whose it is."""

    mesh: Mesh
    matrix: Floats
    owner: int


def seen_from(parts: Sequence[Part], pose: Floats) -> Slices[tuple[Floats, Ints]]:
    """The parts' triangles (n, 3, 3) in camera space and their owners (n,); ``pose`` takes the world there."""
    count = sum(len(part.mesh.triangles) for part in parts)
    triangles, owners = np.empty((count, 3, 3)), np.empty(count, dtype=np.int64)
    end = 0
    for part in parts:
        matrix = pose @ part.matrix
        moved = part.mesh.points @ matrix[:3, :3].T + matrix[:3, 3]
        yield
        for first in range(0, len(part.mesh.triangles), PIECE):
            piece = part.mesh.triangles[first : first + PIECE]
            begun, end = end, end + len(piece)
            triangles[begun:end], owners[begun:end] = moved.take(piece, axis=0), part.owner
            yield
    return triangles, owners
