# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh of Blender's as numbers, read with its main thread held as briefly as may be.

Blender lends whole arrays of points, of corners and of the face that each triangle is of: a copy in no time. Triangles
themselves it hands out one by one, 30 ms for 100 000, so triangles and quads are cut up later, away from Blender;
faces with more corners are cut up as only it knows how.
"""

from typing import Any, TypeVar

import bpy
import numpy as np
from numpy.typing import NDArray

from ..raster.instances import Mesh
from ..raster.triangles import Indices

Number = TypeVar("Number", np.float32, np.int32)


def read(evaluated: bpy.types.Object, into: Mesh) -> None:
    """Fill in the evaluated mesh of an evaluated object. All at once, so that its arrays fit each other."""
    mesh = converted(evaluated)  # the evaluated data itself may still be coarse: the viewport subdivides on the GPU
    points = lent(mesh, "position", "vector", np.empty((len(mesh.vertices), 3), np.float32))
    corners, faces, polygons = _triangles(mesh)
    into.fill(points, corners, faces, material_indices(mesh, polygons))
    forget(evaluated)


def _triangles(mesh: bpy.types.Mesh) -> tuple[Indices, Indices, Indices]:
    """The points at the corners of one face after another, the face that each triangle is of: of one, 1 or 2; and the
    face of Blender's."""
    triangulate(mesh)
    faces = np.empty(len(mesh.loop_triangles), np.int32)
    fetch(mesh.loop_triangle_polygons, "value", faces)
    if (faces[2:] == faces[:-2]).any():  # three of one face
        indices = np.empty(3 * len(faces), np.int32)
        fetch(mesh.loop_triangles, "vertices", indices)
        return indices, np.arange(len(faces), dtype=np.int32), faces
    return lent(mesh, ".corner_vert", "value", np.empty(len(mesh.loops), np.int32)), faces, faces


def material_indices(mesh: bpy.types.Mesh, faces: Indices) -> Indices | None:
    """The index of each triangle's material, None where all have the first."""
    if "material_index" not in mesh.attributes:
        return None
    indices = lent(mesh, "material_index", "value", np.empty(len(mesh.polygons), np.int32))
    materials: Indices = indices[faces]
    return materials


def lent(mesh: bpy.types.Mesh, name: str, kind: str, into: NDArray[Number]) -> NDArray[Number]:
    """The values of an attribute; an empty mesh lacks them all."""
    if into.size:
        attribute = mesh.attributes[name]
        assert isinstance(
            attribute, bpy.types.FloatVectorAttribute | bpy.types.Float2Attribute | bpy.types.IntAttribute
        ), name
        fetch(attribute.data, kind, into.ravel())
    return into


def converted(evaluated: bpy.types.Object) -> bpy.types.Mesh:
    """Blender's own call: an evaluated object as a mesh."""
    return evaluated.to_mesh()


def forget(evaluated: bpy.types.Object) -> None:
    """Blender's own call: let go of that mesh."""
    evaluated.to_mesh_clear()


def triangulate(mesh: bpy.types.Mesh) -> None:
    """Blender's own call: find out the triangles of a mesh."""
    mesh.calc_loop_triangles()


def fetch(values: Any, kind: str, into: NDArray[Number]) -> None:
    """Blender's own call: copy an array that it has."""
    values.foreach_get(kind, into)
