# SPDX-License-Identifier: MIT
"""Meshes read quickly are what Blender itself makes of them."""

import bpy
import numpy as np
import pytest

from addon.capture import meshes
from addon.cooperative import finish
from addon.raster.instances import Mesh
from tests.addon.hosts.sample_scenes import fresh

FLAT = {  # corners of a face in a plane, in order
    "triangle": [(0, 0), (2, 0), (1, 2)],
    "square": [(0, 0), (2, 0), (2, 2), (0, 2)],
    "folded at the second corner": [(0, 0), (1, 0.6), (2, 0), (1, 3)],
    "folded at the third": [(0, 0), (3, 0.2), (1, 1), (0.2, 3)],
    "folded at the fourth": [(0, 0), (2, 0), (1.2, 2), (0.9, 0.5)],
    "pentagon": [(0, 0), (2, 0), (1.1, 0.4), (2, 2), (0, 2)],
}


@pytest.fixture
def scene() -> bpy.types.Scene:
    return fresh()


def built(scene: bpy.types.Scene, names: list[str], tilt: np.ndarray) -> bpy.types.Object:
    """One object of such faces, side by side, in a tilted plane."""
    points, faces = [], []
    for place, name in enumerate(names):
        faces.append(list(range(len(points), len(points) + len(FLAT[name]))))
        points += [tilt @ (x + 4 * place, y, 0) for x, y in FLAT[name]]
    mesh = bpy.data.meshes.new("faces")
    mesh.from_pydata(points, [], faces)
    thing = bpy.data.objects.new("faces", mesh)
    scene.collection.objects.link(thing)
    return thing.evaluated_get(bpy.context.evaluated_depsgraph_get())


def read(evaluated: bpy.types.Object) -> Mesh:
    """Its mesh."""
    mesh = Mesh()
    meshes.read(evaluated, mesh)
    return mesh


def blenders(thing: bpy.types.Object) -> list[set[int]]:
    """The triangles that Blender hands out."""
    mesh = thing.to_mesh()
    mesh.calc_loop_triangles()
    return [set(triangle.vertices) for triangle in mesh.loop_triangles]


@pytest.mark.parametrize("last", ["square", "pentagon"])
def test_faces_are_cut_as_blender_cuts_them(scene: bpy.types.Scene, last: str) -> None:
    random = np.random.default_rng(7)
    for _ in range(20):
        tilt, _ = np.linalg.qr(random.normal(size=(3, 3)))
        names = [str(name) for name in random.permutation(list(FLAT)[:5])] + [last]
        thing = built(scene, names, tilt)
        found = read(thing)
        assert [set(triangle) for triangle in finish(found.triangles()).tolist()] == blenders(thing)
        assert np.array_equal(found.points, [vertex.co for vertex in thing.data.vertices])


def test_a_mesh_without_faces_or_points_has_no_triangles(scene: bpy.types.Scene) -> None:
    for points in ([], [(0, 0, 0), (1, 0, 0)]):
        mesh = bpy.data.meshes.new("bare")
        mesh.from_pydata(points, [], [])
        thing = bpy.data.objects.new("bare", mesh)
        scene.collection.objects.link(thing)
        found = read(thing.evaluated_get(bpy.context.evaluated_depsgraph_get()))
        assert found.points.shape == (len(points), 3)
        assert finish(found.triangles()).shape == (0, 3)
