# SPDX-License-Identifier: MIT
"""Blender is closed in the middle of a job; the next one receives the picture."""

from collections.abc import Iterator
from pathlib import Path

import bpy
import stage
from hands import press
from storm import begin
from tour import PROMPT, notices


def quits(desk, shots: Path, report: dict) -> Iterator:
    """Ask for a picture, and let the story end while it is painted: then Blender quits."""
    press("add_selected")
    bpy.context.scene.maquette_prompt = PROMPT
    press("start_server")
    yield lambda: desk.session.link.name == "online"
    yield from begin(desk)
    report["state at the end"] = desk.session.tasks[-1].job.state
    report["server"] = desk.server.pid


def returns(desk, shots: Path, report: dict) -> Iterator:
    """The next Blender: it knows of that picture, has it painted and receives it."""
    before = stage.fingerprint()
    report["waiting"] = [task.job.state for task in desk.session.waiting]
    press("start_server")
    yield from notices(desk, "scene-gone")
    (task,) = desk.session.tasks
    report["state"], report["words"] = task.job.state, task.wish.words
    report["on disk"] = desk.gallery.entry(bpy.context.scene, task.picture.stem).wish.words
    report["touched"] = stage.changed(before)
