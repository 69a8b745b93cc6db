# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh of Blender's as numbers, read with its main thread held as briefly as may be.

Blender lends whole arrays of points, of corners and of the face that each triangle is of: a copy in no time. Triangles
themselves it hands out one by one, 30 ms for 100 000, so those of triangles and quads are found again from the others;
faces with more corners are cut up as only Blender knows how.
"""

from typing import TypeVar

import bpy
import numpy as np
from numpy.typing import NDArray

from .parts import Mesh

Indices = NDArray[np.int32]
Points = NDArray[np.float32]
Number = TypeVar("Number", np.float32, np.int32)


def read(thing: bpy.types.Object) -> Mesh:
    """The evaluated mesh of an evaluated object."""
    mesh = thing.to_mesh()  # the evaluated data itself may still be coarse: the viewport subdivides on the GPU
    points = _lent(mesh, "position", "vector", np.empty((len(mesh.vertices), 3), np.float32))
    found = Mesh(points, _triangles(mesh, points))
    thing.to_mesh_clear()
    return found


def _triangles(mesh: bpy.types.Mesh, points: Points) -> Indices:
    mesh.calc_loop_triangles()
    faces = np.empty(len(mesh.loop_triangles), np.int32)
    mesh.loop_triangle_polygons.foreach_get("value", faces)
    cuts = np.bincount(faces)  # triangles of each face
    if cuts.max(initial=0) > 2:
        indices = np.empty((len(faces), 3), np.int32)
        mesh.loop_triangles.foreach_get("vertices", indices.ravel())
        return indices
    corners = _lent(mesh, ".corner_vert", "value", np.empty(len(mesh.loops), np.int32))
    return divided(points, corners, cuts)


def divided(points: Points, corners: Indices, cuts: NDArray[np.int64]) -> Indices:
    """Triangles and quads as triangles (n, 3), each face's after those of the faces before it, as Blender divides them.

    ``corners`` are the points of one face after another, ``cuts`` the triangles of each: 1 or 2.
    """
    start = np.cumsum(cuts + 2) - (cuts + 2)
    last = np.cumsum(cuts) - 1
    triangles = np.empty((cuts.sum(), 3), np.int32)
    triangles[last] = corners[start[:, None] + (0, 1, 2)]
    quads = cuts == 2
    square = corners[start[quads, None] + (0, 1, 2, 3)]
    folded = _folded(points[square])[:, None]
    triangles[last[quads] - 1] = np.where(folded, square[:, (0, 1, 3)], square[:, (0, 1, 2)])
    triangles[last[quads]] = np.where(folded, square[:, (1, 2, 3)], square[:, (0, 2, 3)])
    return triangles


def _folded(square: Points) -> NDArray[np.bool_]:
    """Whether the second and the fourth corner of a quad lie on one side of the line from its first to its third, so
    that it must be cut along the other one."""
    one, across, other = (square[:, corner].astype(np.float64) - square[:, 0] for corner in (1, 2, 3))

    def dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        product: NDArray[np.float64] = np.einsum("ij,ij->i", a, b)
        return product

    # (one x across) . (other x across), without the cross products
    folded: NDArray[np.bool_] = dot(one, other) * dot(across, across) > dot(one, across) * dot(other, across)
    return folded


def _lent(mesh: bpy.types.Mesh, name: str, kind: str, into: NDArray[Number]) -> NDArray[Number]:
    """The values of an attribute; an empty mesh lacks them all."""
    if into.size:
        mesh.attributes[name].data.foreach_get(kind, into.ravel())
    return into
