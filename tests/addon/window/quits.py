# SPDX-License-Identifier: MIT
"""Blender is closed in the middle of a job; the test looks afterwards at what is left."""

from collections.abc import Iterator
from pathlib import Path

import bpy
from hands import press
from storm import begin
from tour import PROMPT


def quits(desk, shots: Path, report: dict) -> Iterator:
    """Ask for a picture, and let the story end while it is painted: then Blender quits."""
    press("add_selected")
    bpy.context.scene.maquette_prompt = PROMPT
    press("start_server")
    yield lambda: desk.session.link.name == "online"
    yield from begin(desk)
    report["state at the end"] = desk.session.tasks[-1].job.state
    report["server"] = desk.server.pid
