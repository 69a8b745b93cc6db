# SPDX-License-Identifier: MIT
"""Pictures find the file that they were asked for in, though it was saved since for the first time, or renamed."""

from dataclasses import replace

import bpy

from addon.capture.scene import evaluated
from addon.pictures.origin import as_saved, camera_of, scene_of, viewpoint
from addon.session.pending import NO_ID
from tests.addon.hosts.sample_scenes import fresh


def test_a_picture_asked_for_before_the_first_save_finds_the_file_when_it_is_opened_again(tmp_path):
    scene = fresh()
    asked = viewpoint(scene, scene.camera, evaluated(scene))
    assert asked.origin.file == ""
    scene.name, scene.camera.name = "Harbour", "Eye"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "harbour.blend"))
    saved = as_saved(asked)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    assert as_saved(saved) == saved, "it is not open"
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "harbour.blend"))
    again = replace(saved, scene=NO_ID, camera=NO_ID)  # as another Blender takes it over
    assert scene_of(again) == bpy.data.scenes["Harbour"] and camera_of(again) == bpy.data.objects["Eye"]
    assert scene_of(replace(asked, scene=NO_ID, camera=NO_ID)) is None
