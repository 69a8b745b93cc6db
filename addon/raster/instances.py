# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes where they stand, and what a camera makes of them: triangles in its own space. numpy, no bpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..cooperative import Slices
from .triangles import Floats, Triangles
from .triangulate import Indices, Points, divided

PIECE = 1 << 16  # points moved at once, about a millisecond's work


class Mesh:
    """``points`` (p, 3) in the mesh's own space; ``corners``, which of them are at one face's corners after another's;
    and ``cuts``, how many triangles each face is: 1 or 2."""

    def __init__(self, points: Points, corners: Indices, cuts: Indices) -> None:
        self.points, self._corners, self._cuts = points, corners, cuts
        self._triangles: Indices | None = None

    def __len__(self) -> int:
        """Of triangles."""
        return len(self._corners) - 2 * len(self._cuts)

    def triangles(self) -> Slices[Indices]:
        """Triangles (n, 3) of indices into ``points``; cut once, for a mesh may stand in many places."""
        if self._triangles is None:
            self._triangles = yield from divided(self.points, self._corners, self._cuts)
        return self._triangles


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh, the ``matrix`` (4, 4) that takes it into the world, and whose it is."""

    mesh: Mesh
    matrix: Floats
    owner: int


def seen_from(parts: Sequence[Part], pose: Floats) -> Slices[Triangles]:
    """The parts' triangles in camera space, where ``pose`` takes the world."""
    points = np.empty((sum(len(part.mesh.points) for part in parts), 3))
    corners = np.empty((sum(len(part.mesh) for part in parts), 3), dtype=np.int32)
    owners = np.empty(len(corners), dtype=np.int32)
    point = corner = 0
    for part in parts:
        matrix, first = pose @ part.matrix, point
        for begin in range(0, len(part.mesh.points), PIECE):
            piece = part.mesh.points[begin : begin + PIECE]
            begun, point = point, point + len(piece)
            points[begun:point] = piece @ matrix[:3, :3].T + matrix[:3, 3]
            yield
        triangles = yield from part.mesh.triangles()
        begun, corner = corner, corner + len(triangles)
        owners[begun:corner] = part.owner
        np.add(triangles, np.int32(first), out=corners[begun:corner])
        yield
    return Triangles(points, corners, owners)
