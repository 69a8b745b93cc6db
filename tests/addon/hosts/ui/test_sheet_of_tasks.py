# SPDX-License-Identifier: MIT
"""A contact sheet is of what was asked for by a press of Generate, whatever else is painted at the time."""

import json
from dataclasses import replace

import bpy

from addon.protocol.strict_json import dump
from addon.runtime.app import App
from addon.session.reducer import job_submitted
from addon.session.task import Task
from tests.addon.hosts.sample_scenes import fresh
from tests.addon.session.samples import VIEW, blockout, job


def test_a_frame_of_a_sequence_is_on_no_sheet(application: App) -> None:
    scene = fresh()
    own = replace(VIEW, scene=scene.session_uid)
    for name, view, prompt in (("own", own, "a castle"), ("frame", replace(own, sequence="s", frame=1), "a rocket")):
        request = json.dumps(dump(replace(blockout(), prompt=prompt)))
        application.dispatcher.apply(job_submitted, Task(job=job(name), view=view, request=request))
    window = bpy.context.window_manager.windows[0]
    area = max(window.screen.areas, key=lambda area: area.width * area.height)
    area.ui_type = "IMAGE_EDITOR"
    with bpy.context.temp_override(window=window, area=area):
        assert bpy.ops.maquette.contact_sheet() == {"FINISHED"}, application.session.notice
    assert application.sheet is not None and [cell.job for cell in application.sheet.cells] == ["own"]
