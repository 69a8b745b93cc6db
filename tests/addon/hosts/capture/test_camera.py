# SPDX-License-Identifier: MIT
"""Captured regions fall where Blender puts them, through cameras of every kind, and cover what Cycles renders."""

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from addon.camera.reader import view
from addon.capture.canvas import canvas, overscan
from addon.capture.scene import evaluated
from addon.messages.errors import NoCamera
from addon.protocol.default_model import TOYBOX
from addon.regions.marks import mark, unmark
from tests.addon.hosts.capture.sample_cameras import CAMERAS, grid, iou, look
from tests.addon.hosts.sample_scenes import ball, box, fresh, group, instance, render


@pytest.mark.parametrize("setting", CAMERAS)
def test_points_fall_where_blender_puts_them(setting, record_property):
    scene = fresh()
    setting(scene)
    graph = evaluated(scene)
    seen = view(scene, scene.camera, graph)
    size = canvas(seen.aspect, TOYBOX)
    points = np.random.default_rng(0).uniform([-3, -2, -2], [3, 2, 2], (200, 3))
    clip = np.c_[points, np.ones(200)] @ (overscan(seen.lens, size).projection @ seen.pose).T
    frame = size.frame
    x = ((clip[:, 0] / clip[:, 3] + 1) / 2 * size.width - frame.left) / frame.width
    y = ((1 - clip[:, 1] / clip[:, 3]) / 2 * size.height - frame.top) / frame.height
    blender = np.array([world_to_camera_view(scene, scene.camera, Vector(point)) for point in points])
    error = np.hypot((x - blender[:, 0]) * 1920, (1 - y - blender[:, 1]) * 1080).max()
    record_property("error_px", float(error))
    assert error < 0.5


@pytest.mark.parametrize("setting", CAMERAS[1:])
def test_centroids_fall_where_blender_puts_them(setting, record_property):
    scene = fresh()
    place = Vector((0.9, 0, -0.5))
    mark(ball("thing", place, 1.0))
    scene.camera.data.lens = 85  # far enough from the ball that its outline's middle is its own
    scene.camera.location.y = -30
    setting(scene)
    x, y = look(scene)["thing"].centroid
    expected = world_to_camera_view(scene, scene.camera, place)
    error = np.hypot((x - expected.x) * 1920, (1 - y - expected.y) * 1080)
    record_property("error_px", float(error))
    assert error < 0.5


def test_the_mask_is_the_coverage_that_cycles_renders(tmp_path, record_property):
    scene = fresh(256, 256)
    mark(ball("thing", (0.5, 0, 0.3), 1.2))
    region = look(scene)["thing"]
    alpha = render(scene, tmp_path / "ball.png", samples=32, transparent=True)[:, :, 3]
    score = iou(grid(region), alpha)
    record_property("iou", float(score))
    assert score > 0.98


def test_curves_text_metaballs_modifiers_and_instances_are_rendered(tmp_path, record_property):
    scene = fresh(256, 256)
    bpy.ops.object.text_add(location=(-3, 0, 1))
    text = bpy.context.object
    text.rotation_euler.x = np.pi / 2
    bpy.ops.curve.primitive_bezier_circle_add(location=(2, 0, 1.5))
    bpy.context.object.rotation_euler.x, bpy.context.object.data.bevel_depth = np.pi / 2, 0.2
    bpy.ops.object.metaball_add(location=(-2, 0, -1.5))
    cube = box("thing", (2, 0, -1.5))
    cube.modifiers.new("Subdivision", "SUBSURF").levels = 2
    cube.modifiers["Subdivision"].render_levels = 2
    source = group("source")
    ball("part", (0, 0, 0), 0.4, collection=source)
    for x in (-0.5, 0.5):
        instance(f"instance {x}", source, (x, 0, 0))
    for thing in scene.objects:
        mark(thing, "thing")
    unmark(scene.camera)
    region = look(scene)["thing"]
    alpha = render(scene, tmp_path / "all.png", samples=32, transparent=True)[:, :, 3]
    score = iou(grid(region), alpha)
    record_property("iou", float(score))
    assert score > 0.96


@pytest.mark.parametrize("scale", [(0, 0, 0), (1, 0, 1)])
def test_a_camera_that_is_scaled_to_nothing_is_said(scale):
    scene = fresh()
    mark(box("thing"))
    scene.camera.scale = scale
    bpy.context.view_layer.update()
    with pytest.raises(NoCamera, match="Camera is scaled to nothing"):
        look(scene)


def test_a_camera_that_stands_nowhere_is_said():
    scene = fresh()
    mark(box("thing"))
    scene.camera.location.x = np.nan
    bpy.context.view_layer.update()
    with pytest.raises(NoCamera, match="stands nowhere"):
        look(scene)
