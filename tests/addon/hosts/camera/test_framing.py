# SPDX-License-Identifier: MIT
"""A viewport's matrices as a camera: the frame just holds what they show. The window's own are tried in the window."""

from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from mathutils import Matrix, Vector

from addon.camera.framing import frame_view
from addon.capture.reach import reach_behind
from tests.addon.hosts.sample_scenes import box, fresh

POSE = Matrix.Translation((1.0, -9.0, 4.0)) @ Matrix.Rotation(1.2, 4, "X")
CLIP = SimpleNamespace(clip_start=0.01, clip_end=500.0)


def shown(perspective, width, height):
    """What a viewport would hand out that shows so much (at a distance of 1, in perspective)."""
    matrix = Matrix.Diagonal((2 / width, 2 / height, -1.0, 1.0))
    return SimpleNamespace(is_perspective=perspective, window_matrix=matrix, view_matrix=POSE.inverted())


@pytest.mark.parametrize("perspective", [True, False])
@pytest.mark.parametrize(("width", "height"), [(1.6, 0.9), (0.5, 2.0), (12.0, 12.0)])
@pytest.mark.parametrize("frame", [(1920, 1080), (1080, 1080), (600, 1600)])
def test_the_frame_just_holds_the_view(perspective, width, height, frame):
    scene = fresh(*frame)
    eye = scene.camera
    eye.matrix_world = frame_view(eye.data, scene, CLIP, shown(perspective, width, height))
    bpy.context.view_layer.update()
    seen = eye.calc_matrix_camera(bpy.context.evaluated_depsgraph_get(), x=frame[0], y=frame[1])
    filled = np.array([width / 2 * seen[0][0], height / 2 * seen[1][1]])  # of the frame
    assert filled.max() == pytest.approx(1.0, abs=1e-4)
    assert eye.data.type == ("PERSP" if perspective else "ORTHO")
    assert eye.data.clip_end == pytest.approx(500.0 if perspective else 500.01)
    assert np.allclose(eye.matrix_world.to_3x3(), POSE.to_3x3(), atol=1e-6)


@pytest.mark.parametrize("is_instanced", [False, True])
def test_an_orthographic_camera_steps_back_to_what_is_behind_the_eye_and_sees_as_far(is_instanced):
    scene = fresh()
    place = POSE.translation + POSE.to_3x3().col[2] * 5.0
    behind = box("behind", (0, 0, 0) if is_instanced else place)
    if is_instanced:
        (assets,) = behind.users_collection
        collection, empty = bpy.data.collections.new("assets"), bpy.data.objects.new("set", None)
        collection.objects.link(behind)
        assets.objects.unlink(behind)
        empty.instance_type, empty.instance_collection, empty.location = "COLLECTION", collection, place
        scene.collection.objects.link(empty)
    bpy.context.view_layer.update()
    view = shown(False, 4.0, 4.0)
    reach = reach_behind(scene, bpy.context.evaluated_depsgraph_get(), view.view_matrix)
    pose = frame_view(scene.camera.data, scene, CLIP, view, reach)
    corners = [pose.inverted() @ (place + vertex.co) for vertex in behind.data.vertices]
    assert max(corner.z for corner in corners) < 0.0
    farthest = POSE @ Vector((0.0, 0.0, -CLIP.clip_end))
    assert scene.camera.data.clip_end >= -(pose.inverted() @ farthest).z - 1e-4
