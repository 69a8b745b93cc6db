# SPDX-License-Identifier: MIT
"""Cameras put back where they stood, skewed and mirrored poses too, and projectors where cameras stand."""

import bpy
import numpy as np
import pytest

from addon.camera.placement import carried, hold, pose_of, stands
from addon.messages.errors import CameraHeld
from addon.projection.projectors import project, remove_projectors
from addon.regions.marks import mark
from tests.addon.hosts.capture.sample_cameras import look
from tests.addon.hosts.sample_scenes import box, fingerprint, fresh, put

SCALES = [(1, 1, 2.2), (-1, 1, 1), (1.5, 1.1, 0.9)]


def skewed(scale):
    """A scene whose camera hangs on a rig that is scaled, and a pose of it."""
    scene = fresh(384, 256)
    mark(box("castle", (1.0, 0, 0.8), (2, 2, 2)))
    rig = put("rig", None, (0, 0, 0))
    rig.scale = scale
    scene.camera.parent = rig
    scene.camera.location, scene.camera.rotation_euler = (1.2 / scale[0], -9 / scale[1], 1 / scale[2]), (1.5, 0.25, 0.1)
    bpy.context.view_layer.update()
    return scene, rig


@pytest.mark.parametrize("scale", SCALES)
def test_a_camera_on_such_a_rig_comes_back(scale):
    scene, _ = skewed(scale)
    pose, before = pose_of(scene.camera), look(scene, "a castle")["castle"]
    scene.camera.location.x += 1.0
    scene.camera.rotation_euler.z += 0.5
    hold(scene.camera, pose, bpy.context.view_layer)
    assert stands(scene.camera, pose)
    assert look(scene, "a castle")["castle"].mask == before.mask


@pytest.mark.parametrize("scale", SCALES)
def test_it_comes_back_without_its_rig(scale):
    scene, rig = skewed(scale)
    pose = pose_of(scene.camera)
    scene.camera.parent = None
    bpy.data.objects.remove(rig)
    hold(scene.camera, pose, bpy.context.view_layer)
    assert stands(scene.camera, pose)


def test_one_that_is_held_stays_as_it_was():
    scene, _ = skewed(SCALES[0])
    pose = pose_of(scene.camera)
    scene.camera.location.x += 1.0
    scene.camera.constraints.new("LIMIT_LOCATION").use_max_x = True
    bpy.context.view_layer.update()
    before = fingerprint()
    with pytest.raises(CameraHeld):
        hold(scene.camera, pose, bpy.context.view_layer)
    bpy.context.view_layer.update()
    assert fingerprint() == before


@pytest.mark.parametrize("scale", SCALES)
def test_a_projector_stands_where_the_camera_stands(scale):
    scene, _ = skewed(scale)
    before, objects = look(scene, "a castle")["castle"], len(bpy.data.objects)
    image = bpy.data.images.new("picture", 8, 8)
    projector = project(scene, scene.camera, image)
    assert np.allclose(carried(projector), scene.camera.matrix_world.normalized(), atol=1e-5)
    holder = projector.users_collection[0]
    holder.hide_viewport = holder.hide_render = False
    scene.camera, own = projector, scene.camera
    bpy.context.view_layer.update()
    assert np.allclose(look(scene, "a castle")["castle"].centroid, before.centroid, atol=0.001)
    scene.camera = own
    remove_projectors([projector])
    assert len(bpy.data.objects) == objects
