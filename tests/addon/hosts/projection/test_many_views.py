# SPDX-License-Identifier: MIT
"""How many views a scene has: a new one takes the place of that from the same camera, and too many are refused."""

import bpy
import pytest

from addon.capture.scene import capture, evaluated
from addon.capture.snapshot import develop
from addon.cooperative import finish
from addon.messages.errors import TooManyViews
from addon.pictures.sequences.views_in_turn import view_request
from addon.projection.keys import PROJECTOR, keys_of
from addon.projection.projectors import MOST, check_room, project, projectors, remove_projectors
from addon.request.settings import Settings
from tests.addon.hosts.projection.sample_projection import flat, nudged, staged
from tests.addon.hosts.sample_scenes import camera

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def test_the_same_picture_is_thrown_anew_and_too_many_are_refused(tmp_path):
    scene = staged(64, 36)
    picture = flat(RED)
    project(scene, scene.camera, picture)
    again = project(scene, scene.camera, picture)
    assert projectors(scene) == [again]
    for _ in range(MOST - 1):
        project(scene, nudged(scene), flat(BLUE))
    project(scene, scene.camera, flat(BLUE))  # from the same view, and so instead of the one before
    assert len(projectors(scene)) == MOST
    with pytest.raises(TooManyViews, match=str(MOST)):
        project(scene, nudged(scene), flat(BLUE))
    snapshot = capture(scene, Settings(prompt="a box and a ball"))
    with pytest.raises(TooManyViews, match=str(MOST)):  # in a batch, before it is painted
        view_request(scene, scene.camera, snapshot, finish(develop(snapshot)), tmp_path)
    project(scene, scene.camera, picture)
    assert len(projectors(scene)) == MOST


def test_cameras_that_are_projected_from_already_need_no_room():
    scene = staged(64, 36)
    cameras = [camera(scene, (number - 2, -9, 2), (0, 0, 0), f"Eye {number}") for number in range(5)]
    for rgb in (RED, BLUE):
        check_room(scene, evaluated(scene), cameras)
        views = [project(scene, eye, flat(rgb)) for eye in cameras]
        assert projectors(scene) == views
    check_room(scene, evaluated(scene), [*cameras[2:], scene.camera, camera(scene, (0, -9, 4), (0, 0, 0), "Side")])
    more = [camera(scene, (number - 2, -9, 5), (0, 0, 0), f"More {number}") for number in range(4)]
    with pytest.raises(TooManyViews, match="4 cameras, and 5 more that are projected already, are more than 8"):
        check_room(scene, evaluated(scene), more)


def test_a_full_copy_of_a_scene_has_views_of_its_own():
    first = staged(64, 36)
    pictures = [flat(rgb) for rgb in (RED, BLUE)]
    for picture in pictures:
        project(first, nudged(first), picture)
    assert bpy.ops.scene.new(type="FULL_COPY") == {"FINISHED"}
    (copy,) = (scene for scene in bpy.data.scenes if scene != first)
    box, other = (next(item for item in scene.objects if item.name.startswith("box")) for scene in (first, copy))
    assert keys_of(box) == keys_of(other) and len(keys_of(box)) == 2
    remove_projectors(projectors(first))
    assert not keys_of(box) and "Maquette" not in box.active_material.name
    assert len(keys_of(other)) == 2 and "Maquette" in other.active_material.name
    assert [projector[PROJECTOR]["picture"] for projector in projectors(copy)] == pictures
    assert project(copy, nudged(copy), flat(RED)) == projectors(copy)[-1]
    remove_projectors(projectors(copy))
    assert not keys_of(other) and "Maquette" not in other.active_material.name
