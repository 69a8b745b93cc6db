# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh of Blender's by the corners of its faces, with shading normals and UVs: what images over UVs are made from."""

from dataclasses import dataclass

import bpy
import numpy as np

from ..cooperative import Slices
from ..raster.triangles import PIECE, Indices, Singles
from ..raster.triangulate import counted, divided
from .meshes import converted, fetch, forget, lent, material_indices, triangulate


@dataclass(frozen=True, eq=False)
class CornerMesh:
    """``points`` (p, 3), in the object's space; ``vertices`` (c,), which of them are at the corners of one face after
    another, and their shading ``normals`` (c, 3); the face that each triangle is ``of`` (n,), in order, and its
    ``materials`` (n,), None where all have the first.

    ``corners`` (n, 3) are those of the triangles; None where faces have no more than four, which ``triangles`` cuts.
    ``uvs`` (c, 2) are of the layer that renders use, by its name; None where there is none. ``is_closed`` where every
    edge is between two faces, so that one side of each is inside.
    """

    points: Singles
    vertices: Indices
    normals: Singles
    of: Indices
    materials: Indices | None
    corners: Indices | None
    layer: str
    uvs: Singles | None
    is_closed: bool

    def triangles(self) -> Slices[Indices]:
        """The corners (n, 3) of the triangles."""
        if self.corners is not None:
            return self.corners
        cuts = yield from counted(self.of)
        points = np.empty((len(self.vertices), 3), np.float32)
        for begin in range(0, len(points), PIECE):
            points[begin : begin + PIECE] = self.points[self.vertices[begin : begin + PIECE]]
            yield
        return (yield from divided(points, np.arange(len(points), dtype=np.int32), cuts))


def read_corners(evaluated: bpy.types.Object) -> CornerMesh:
    """The evaluated mesh of an evaluated object. All at once, so that its arrays fit each other."""
    mesh = converted(evaluated)
    try:
        triangulate(mesh)
        of = np.empty(len(mesh.loop_triangles), np.int32)
        fetch(mesh.loop_triangle_polygons, "value", of)
        corners = None
        if (of[2:] == of[:-2]).any():  # three of one face
            corners = np.empty((len(of), 3), np.int32)
            fetch(mesh.loop_triangles, "loops", corners.ravel())
        normals = np.empty((len(mesh.loops), 3), np.float32)
        fetch(mesh.corner_normals, "vector", normals.ravel())
        layer = next((one.name for one in mesh.uv_layers if one.active_render), "")
        return CornerMesh(
            points=lent(mesh, "position", "vector", np.empty((len(mesh.vertices), 3), np.float32)),
            vertices=lent(mesh, ".corner_vert", "value", np.empty(len(mesh.loops), np.int32)),
            normals=normals,
            of=of,
            materials=material_indices(mesh, of),
            corners=corners,
            layer=layer,
            uvs=lent(mesh, layer, "vector", np.empty((len(mesh.loops), 2), np.float32)) if layer else None,
            is_closed=len(mesh.loops) == 2 * len(mesh.edges),
        )
    finally:
        forget(evaluated)
