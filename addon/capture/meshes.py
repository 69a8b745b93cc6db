# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh of Blender's as numbers, read with its main thread held as briefly as may be.

Blender lends whole arrays of points, of corners and of the face that each triangle is of: a copy in no time. Triangles
themselves it hands out one by one, 30 ms for 100 000, so triangles and quads are cut up later, away from Blender;
faces with more corners are cut up as only it knows how.
"""

from typing import TypeVar

import bpy
import numpy as np
from numpy.typing import NDArray

from ..raster.instances import Mesh
from ..raster.triangles import Indices

Number = TypeVar("Number", np.float32, np.int32)


def read(evaluated: bpy.types.Object) -> Mesh:
    """The evaluated mesh of an evaluated object."""
    mesh = evaluated.to_mesh()  # the evaluated data itself may still be coarse: the viewport subdivides on the GPU
    points = _lent(mesh, "position", "vector", np.empty((len(mesh.vertices), 3), np.float32))
    arrays = Mesh(points, *_faces(mesh))
    evaluated.to_mesh_clear()
    return arrays


def _faces(mesh: bpy.types.Mesh) -> tuple[Indices, Indices]:
    """The points at the corners of one face after another, and how many triangles each is: 1 or 2."""
    mesh.calc_loop_triangles()
    faces = np.empty(len(mesh.loop_triangles), np.int32)
    mesh.loop_triangle_polygons.foreach_get("value", faces)
    cuts = np.bincount(faces).astype(np.int32)
    if cuts.max(initial=0) > 2:
        indices = np.empty(3 * len(faces), np.int32)
        mesh.loop_triangles.foreach_get("vertices", indices)
        return indices, np.ones_like(faces)
    return _lent(mesh, ".corner_vert", "value", np.empty(len(mesh.loops), np.int32)), cuts


def _lent(mesh: bpy.types.Mesh, name: str, kind: str, into: NDArray[Number]) -> NDArray[Number]:
    """The values of an attribute; an empty mesh lacks them all."""
    if into.size:
        attribute = mesh.attributes[name]
        assert isinstance(attribute, bpy.types.FloatVectorAttribute | bpy.types.IntAttribute), name
        attribute.data.foreach_get(kind, into.ravel())
    return into
