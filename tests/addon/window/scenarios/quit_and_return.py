# SPDX-License-Identifier: MIT
"""Blender is closed in the middle of a job; the next one receives the picture."""

from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver import sample_scene
from tests.addon.window.driver.user_input import press
from tests.addon.window.scenarios.interruptions import begin
from tests.addon.window.scenarios.walkthrough import PROMPT, STEPS, notices


def quit_blender(app, folder: Path, report: dict) -> Iterator:
    """Ask for a picture, and let the scenario end while it is painted: then Blender quits."""
    press("add_selected")
    bpy.context.scene.maquette_prompt, bpy.context.scene.maquette_steps = PROMPT, STEPS
    press("start_server")
    yield lambda: app.session.link.name == "online"
    yield from begin(app)
    report["state at the end"] = app.session.tasks[-1].job.state
    report["server"] = app.server.pid


def come_back(app, folder: Path, report: dict) -> Iterator:
    """The next Blender: it knows of that picture, has it painted and receives it."""
    before = sample_scene.fingerprint()
    report["waiting"] = [task.job.state for task in app.session.waiting]
    press("start_server")
    yield from notices(app, "scene-gone")
    (task,) = app.session.tasks
    report["state"], report["words"] = task.job.state, task.settings.prompt
    report["on disk"] = app.gallery.entry(bpy.context.scene, task.picture.stem).settings.prompt
    report["touched"] = sample_scene.changed(before)
