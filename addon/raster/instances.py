# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes as they stand in the world, and their triangles in a camera's space. numpy, no bpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..cooperative import Slices
from .triangles import PIECE, Floats, Indices, Singles, Triangles
from .triangulate import counted, divided


class Mesh:
    """``points`` (p, 3) in the mesh's own space; ``corners``, which of them are at one face's corners after another's;
    and ``faces``, of which face each triangle is, in their order: of one, 1 or 2 are.

    It begins unread, for a mesh of Blender's is read when there is time.
    """

    def __init__(self) -> None:
        self.is_read = False
        self.points = np.empty((0, 3), np.float32)
        self._corners = self._faces = np.empty(0, np.int32)
        self._triangles: Indices | None = None

    def fill(self, points: Singles, corners: Indices, faces: Indices) -> None:
        """What was read of it."""
        self.points, self._corners, self._faces, self.is_read = points, corners, faces, True

    def __len__(self) -> int:
        """Of triangles."""
        return len(self._faces)

    def triangles(self) -> Slices[Indices]:
        """Triangles (n, 3) of indices into ``points``; cut once, for a mesh may stand in many places."""
        if self._triangles is None:
            cuts = yield from counted(self._faces)
            self._triangles = yield from divided(self.points, self._corners, cuts)
        return self._triangles


@dataclass(frozen=True, eq=False)
class MeshInstance:
    """A mesh, the ``matrix`` (4, 4) that takes it into the world, and whose it is."""

    mesh: Mesh
    matrix: Floats
    owner: int


def camera_triangles(instances: Sequence[MeshInstance], pose: Floats) -> Slices[Triangles]:
    """The triangles of all ``instances`` in camera space, into which ``pose`` (4, 4) takes the world."""
    points = np.empty((sum(len(instance.mesh.points) for instance in instances), 3))
    corners = np.empty((sum(len(instance.mesh) for instance in instances), 3), dtype=np.int32)
    owners = np.empty(len(corners), dtype=np.int32)
    point = corner = 0
    for instance in instances:
        matrix, first = pose @ instance.matrix, point
        for begin in range(0, len(instance.mesh.points), PIECE):
            piece = instance.mesh.points[begin : begin + PIECE]
            begun, point = point, point + len(piece)
            points[begun:point] = piece @ matrix[:3, :3].T + matrix[:3, 3]
            yield
        triangles = yield from instance.mesh.triangles()
        for begin in range(0, len(triangles), PIECE):
            cut = triangles[begin : begin + PIECE]
            begun, corner = corner, corner + len(cut)
            owners[begun:corner] = instance.owner
            np.add(cut, np.int32(first), out=corners[begun:corner])
            yield
    return Triangles(points, corners, owners)
