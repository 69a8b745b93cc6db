# SPDX-License-Identifier: MIT
"""What is painted over UVs is what the shaders of stacked projections show."""

import bpy
import numpy as np
import pytest

from addon.camera.view import View
from addon.cooperative import finish
from addon.pictures.pixels import of_image
from addon.projection.baking import MARGIN, BakedView, Surface, baked, grid
from addon.projection.projectors import PROJECTOR, project, remove_projectors
from addon.raster.lens import Lens
from tests.addon.hosts.projection.sample_projection import gradient, psnr, regions, staged
from tests.addon.hosts.sample_scenes import camera, paint, render

SIDE = 2048


def baked_view(projector):
    """A projector as numbers."""
    record = projector[PROJECTOR]
    images = [node.image for node in record["group"].nodes if node.bl_idname == "ShaderNodeTexImage"]
    depth = next(image for image in images if image != record["picture"])
    matrices = np.array(record["seen_from"]).reshape(2, 4, 4)
    seen_by = View(matrices[0], Lens(matrices[1], 0.0, 0.0), record["aspect"])
    return BakedView(seen_by, of_image(record["picture"])[..., :3], of_image(depth)[..., 0])


def unwrapped(item):
    """An object's triangles in the world, with UVs in a layer of its mesh."""
    mesh, world = item.data, np.array(item.matrix_world)
    points = np.array([mesh.vertices[loop.vertex_index].co for loop in mesh.loops]) @ world[:3, :3].T + world[:3, 3]
    normals = np.array([face.normal for face in mesh.polygons])
    faces = np.repeat(np.arange(len(normals)), [face.loop_total for face in mesh.polygons])
    uvs = grid(points, normals, faces, SIDE)
    layer = mesh.uv_layers.new(name="Bake")
    layer.data.foreach_set("uv", uvs.astype(np.float32).ravel())
    mesh.calc_loop_triangles()
    corners = np.array([triangle.loops[:] for triangle in mesh.loop_triangles])
    under = np.tile([0.0, 0.5, 0.0], (len(corners), 1))
    return Surface(points[corners], normals[faces][corners], uvs[corners], under)


def show(item, pixels):
    """The baked image on the object, by its UVs and nothing else."""
    image = bpy.data.images.new(f"{item.name} baked", SIDE, SIDE)
    image.pixels.foreach_set(np.dstack([pixels, np.ones((SIDE, SIDE), np.float32)]).ravel())
    tree = item.material_slots[0].material.node_tree
    texture, uvs = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeUVMap")
    texture.image, uvs.uv_map = image, "Bake"
    emission = next(node for node in tree.nodes if node.bl_idname == "ShaderNodeEmission")
    tree.links.new(uvs.outputs[0], texture.inputs["Vector"])
    tree.links.new(texture.outputs["Color"], emission.inputs["Color"])


def test_two_views_baked_are_the_two_views(tmp_path):
    scene = staged()
    second = camera(scene, (5, -8, 3), (0, 0, 0), "Second")
    inside = regions(scene, tmp_path / "plain.png")
    pictures = [gradient(180, 320), gradient(180, 320)[::-1]]
    loaded = [bpy.data.images.load(str(paint(tmp_path / f"{n}.png", one))) for n, one in enumerate(pictures)]
    projectors = [project(scene, eye, one) for eye, one in zip((scene.camera, second), loaded, strict=True)]
    shaded = render(scene, tmp_path / "shaded.png", samples=16)[:, :, :3]
    views = [baked_view(projector) for projector in projectors]
    remove_projectors(projectors)
    for name in ("box", "ball"):
        item = scene.objects[name]
        show(item, finish(baked(unwrapped(item), views, SIDE)))
    again = render(scene, tmp_path / "again.png", samples=16)[:, :, :3]
    print("psnr", psnr(again[inside], shaded[inside]))
    assert psnr(again[inside], shaded[inside]) > 35


def test_islands_keep_their_margins_and_too_many_are_refused():
    square = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    points, normals = np.tile(square, (9, 1)), np.tile([0.0, 0.0, 1.0], (9, 1))
    uvs = grid(points, normals, np.repeat(np.arange(9), 4), 120).reshape(9, 4, 2) * 120
    low, high = uvs.min(1), uvs.max(1)
    assert np.allclose(high - low, 40 - 2 * MARGIN)
    assert np.allclose(low[1, 0] - high[0, 0], 2 * MARGIN)
    with pytest.raises(ValueError, match="9 faces"):
        grid(points, normals, np.repeat(np.arange(9), 4), 50)
