# SPDX-License-Identifier: GPL-3.0-or-later
"""Metaballs of one family, which are one surface: whose each part of it is.

Blender gives the surface of all metaballs whose names differ in their number alone to one of them. A triangle is taken
for the one whose ball, capsule, cube, plane or ellipsoid is nearest, measured in its radius.
"""

import re
from collections.abc import Sequence

import bpy
import numpy as np

from ..cooperative import finish
from ..raster.instances import Mesh
from ..raster.triangles import Floats, Ints
from .meshes import read as read_mesh

EXTENDED = {"CAPSULE": (True, False, False), "PLANE": (True, True, False), "CUBE": (True, True, True)}

FLAT = 1e-12  # of a determinant


def family(item: bpy.types.Object, scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The scene's metaballs that make one surface with this one, itself among them, by name."""
    base = _base(item.name)
    return sorted(
        (one for one in scene.objects if one.type == "META" and _base(one.name) == base), key=lambda one: one.name
    )


def read_parts(evaluated: bpy.types.Object, members: Sequence[bpy.types.Object], into: Sequence[Mesh]) -> None:
    """Fill in what of a family's surface, an evaluated object with its mesh, is each of its ``members``'."""
    surface = Mesh()
    read_mesh(evaluated, surface)
    triangles = finish(surface.triangles())
    nearest = nearest_member(np.array(evaluated.matrix_world), surface.points[triangles].mean(axis=1), members)
    for index, mesh in enumerate(into):
        corners = triangles[nearest == index]
        mesh.fill(surface.points, corners.ravel(), np.arange(len(corners), dtype=np.int32))


def nearest_member(matrix: Floats, points: Floats, members: Sequence[bpy.types.Object]) -> Ints:
    """Which of ``members`` each of the points (n, 3) belongs to, that ``matrix`` takes into the world."""
    world = points @ matrix[:3, :3].T + matrix[:3, 3]
    nearest: Ints = np.argmin([_distances(member, world) for member in members], axis=0)
    return nearest


def _distances(member: bpy.types.Object, world: Floats) -> Floats:
    """From a metaball's elements, in their radii."""
    placed = np.array(member.matrix_world)
    if abs(np.linalg.det(placed[:3, :3])) < FLAT:  # scaled to nothing, it has no surface
        return np.full(len(world), np.inf)
    inverse = np.linalg.inv(placed)
    local = world @ inverse[:3, :3].T + inverse[:3, 3]
    least = np.full(len(world), np.inf)
    for element in member.data.elements:
        if element.use_negative:
            continue
        turned = (local - np.array(element.co)) @ np.array(element.rotation.to_matrix())
        size = np.array((element.size_x, element.size_y, element.size_z))
        if element.type == "ELLIPSOID":
            turned = turned / np.maximum(size, 1e-6)
        within = size * np.array(EXTENDED.get(element.type, (False, False, False)))
        beside = turned - np.clip(turned, -within, within)
        least = np.minimum(least, np.linalg.norm(beside, axis=1) / max(element.radius, 1e-6))
    return least


def _base(name: str) -> str:
    return re.sub(r"\.\d+$", "", name)
