# SPDX-License-Identifier: MIT
"""Scenes that are hard to mask: everything at once, and balls of any number of triangles."""

from collections.abc import Sequence
from math import pi

import bpy
import numpy as np

Triple = tuple[float, float, float]


def stress() -> bpy.types.Scene:
    """Instances, thin slats, intersections, occlusion, text, curves, metaballs, a mirror image, a hundred thousand
    triangles; objects that cross the frame's edge and the camera's near plane."""
    scene = empty()
    box("floor", (0, 10, -2.2), (30, 60, 0.2))  # passes under the camera and behind it
    ball("fine ball", (-2.4, 0, -1.1), 1.0, 158)
    box("pierced box", (-2.4, -0.3, -0.2), (0.6, 2.6, 2.4))
    ball("hidden ball", (0.3, 1.5, -0.9), 1.2, 24)
    box("screen", (0.3, -0.5, -1.6), (1.6, 0.1, 1.0))
    for index in range(5):
        box(f"slat {index}", (1.4 + 0.45 * index, -1, -1.0), (0.14, 0.14, 2.2))
    ring = bpy.data.curves.new("ring", "CURVE")
    ring.dimensions, ring.bevel_depth = "3D", 0.09
    points = ring.splines.new("NURBS").points
    points.add(7)
    for index, point in enumerate(points):
        point.co = (np.cos(index * pi / 4), 0.0, np.sin(index * pi / 4), 1.0)
    ring.splines[0].use_cyclic_u = True
    put("ring", ring, (-0.4, 0, 1.4))
    text = bpy.data.curves.new("text", "FONT")
    assert isinstance(text, bpy.types.TextCurve)
    text.body, text.size, text.extrude = "MASK", 1.3, 0.1
    put("text", text, (1.0, 0, 1.1)).rotation_euler.x = pi / 2
    drops = bpy.data.metaballs.new("drops")
    drops.resolution = drops.render_resolution  # the masks are compared, not two geometries
    for x in (-0.4, 0.4):
        drops.elements.new().co, drops.elements[-1].radius = (x, 0, 0), 1.0
    put("drops", drops, (-3.0, 0.5, 1.6))
    wedge("mirrored wedge", (4.4, 2, -2)).scale.x = -1.0
    leaves = bpy.data.collections.new("leaves")
    ball("leaf", (0, 0, 0), 0.45, 12, leaves)
    for index in range(4):
        twin = put(f"leaves {index}", None, (-4.3 + 0.5 * index, 3 + index, 0.4 * index - 0.4))
        twin.instance_type, twin.instance_collection = "COLLECTION", leaves
    box("crossing box", (3.9, 0, 1.6), (1.2, 1, 1.4))
    box("near beam", (-0.03, -9.2, -0.02), (0.03, 3.0, 0.02))
    return scene


def sphere(rings: int, radius: float) -> bpy.types.Scene:
    """A ball of 4 * rings² triangles in the middle of a square frame."""
    scene = empty()
    scene.render.resolution_x = scene.render.resolution_y = 256
    ball("ball", (0, 0, 0), radius, rings)
    return scene


def empty() -> bpy.types.Scene:
    """An empty file, 16:9, whose camera at (0, -10, 0) looks along y."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return with_camera(current_scene())


def with_camera(scene: bpy.types.Scene) -> bpy.types.Scene:
    """An empty scene with that frame and camera."""
    scene.render.resolution_x, scene.render.resolution_y = 512, 288
    scene.camera = put("camera", bpy.data.cameras.new("camera"), (0, -10, 0))
    scene.camera.rotation_euler.x = pi / 2
    return scene


def current_scene() -> bpy.types.Scene:
    """The scene of the context: a file has one from the start."""
    scene = bpy.context.scene
    assert scene is not None
    return scene


def box(name: str, location: Triple, size: Triple) -> bpy.types.Object:
    """A box of that whole size."""
    x, y, z = (side / 2 for side in size)
    corners = [(a * x, b * y, c * z) for c in (-1, 1) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    faces = [(3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
    return mesh(name, corners, faces, location)


def wedge(name: str, location: Triple) -> bpy.types.Object:
    """Something that its mirror image is not."""
    corners = [(0, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 3)]
    return mesh(name, corners, [(0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3)], location)


def ball(
    name: str, location: Triple, radius: float, rings: int, collection: bpy.types.Collection | None = None
) -> bpy.types.Object:
    """A ball of 4 * rings² triangles."""
    theta, phi = np.meshgrid(np.linspace(0, pi, rings + 1), np.arange(2 * rings) * pi / rings, indexing="ij")
    points = radius * np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)
    index = np.arange(points[..., 0].size).reshape(theta.shape)
    beside = np.roll(index, -1, axis=1)
    faces = np.stack([index[:-1], index[1:], beside[1:], beside[:-1]], axis=-1).reshape(-1, 4)
    return mesh(name, points.reshape(-1, 3).tolist(), faces.tolist(), location, collection)


def mesh(
    name: str,
    corners: Sequence[tuple[float, ...]],
    faces: Sequence[tuple[int, ...]],
    location: Triple,
    collection: bpy.types.Collection | None = None,
) -> bpy.types.Object:
    """A mesh object."""
    data = bpy.data.meshes.new(name)
    data.from_pydata(corners, [], faces)
    return put(name, data, location, collection)


def put(
    name: str, data: bpy.types.ID | None, location: Triple, collection: bpy.types.Collection | None = None
) -> bpy.types.Object:
    """An object of the scene, or of another collection."""
    item = bpy.data.objects.new(name, data)
    item.location = location
    (collection or current_scene().collection).objects.link(item)
    return item
