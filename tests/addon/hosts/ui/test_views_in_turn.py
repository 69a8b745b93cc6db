# SPDX-License-Identifier: MIT
"""Pictures that go on with what projected views show: what they begin with, and of which scene they are."""

import json
from importlib.util import find_spec

import bpy
import pytest

from addon.regions import marks
from addon.runtime.app import App
from addon.ui.operators.scene.paint_views import turns
from tests.addon.hosts.sample_scenes import box, camera, fresh

ORANGE = (1.0, 0.5, 0.0)


def test_a_scene_that_the_artist_went_to_is_not_painted_instead(application: App) -> None:
    scene = fresh()
    scene.maquette_prompt = "a castle"
    marks.mark(box("castle", (0, 0, 0)))
    first, second = scene.camera, camera(scene, (2, -10, 0), (0, 0, 0), "Second")
    work = turns(scene.session_uid, [second.session_uid])
    with bpy.context.temp_override(scene=bpy.data.scenes.new("another")):
        assert list(work) == []
    assert scene.camera == first
    assert application.session.notice is None, "Generate was pressed in the other scene"


@pytest.mark.skipif(find_spec("uvicorn") is None, reason="the server is not installed here")
def test_what_the_views_leave_begins_as_the_scene_says(painting: App) -> None:
    scene = bpy.context.scene
    rocket = scene.objects["rocket"]
    assert bpy.ops.maquette.generate() == {"FINISHED"}, painting.session.notice
    assert bpy.ops.maquette.project() == {"FINISHED"}, painting.session.notice
    scene[marks.BLOCKING] = 0.5
    marks.write(rocket, marks.COLOUR, ORANGE)
    marks.write(rocket, marks.TAKEN_FROM, scene.maquette_history[-1].name)
    scene.camera.location.x += 2.0
    bpy.context.view_layer.update()
    assert bpy.ops.maquette.generate(match=True) == {"FINISHED"}, painting.session.notice
    request = json.loads(painting.session.tasks[-1].request)
    assert request["reference"]["shown"] is not None
    assert [tuple(flat["colour"]) for flat in request["blocking"]["colours"]] == [ORANGE]
    assert [part["region"] for part in request["collage"]] == ["rocket"]
