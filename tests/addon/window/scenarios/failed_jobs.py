# SPDX-License-Identifier: MIT
"""Pictures that fail, in a window: each says why, with its buttons, whatever is asked for next."""

from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver.user_input import ask, desktop, press, screenshot
from tests.addon.window.scenarios.walkthrough import PROMPT


def fail_jobs(app, folder: Path, report: dict) -> Iterator:
    """One that does not fit, one that the engine stumbles over; the first is answered, the other waved away."""
    yield from desktop()
    press("add_selected")
    scene = bpy.context.scene
    scene.maquette_steps = 5
    press("start_server")
    for prompt in (f"{PROMPT}, enormous", f"{PROMPT}, cursed"):
        scene.maquette_prompt = prompt
        yield from ask(app)
    yield from ended(app)
    yield from screenshot(folder / "failing.png")
    report["failed"] = [notice.code for _, notice in app.session.failed]
    scene.maquette_prompt = PROMPT
    yield from ask(app)
    yield from ended(app)
    report["failed after another"] = [notice.code for _, notice in app.session.failed]
    press("paint_smaller", answers=app.session.failed[1][1].subject)
    yield lambda: len(app.session.tasks) == 4
    yield from ended(app)
    report["failed after an answer"] = [notice.code for _, notice in app.session.failed]
    press("dismiss", jobs=app.session.failed[0][1].subject)
    report["failed in the end"] = [notice.code for _, notice in app.session.failed]
    yield from screenshot(folder / "dismissed.png")


def ended(app) -> Iterator:
    """Until every picture asked for has failed, or is in the scene."""
    yield lambda: all(task.received or task.job.state == "failed" for task in app.session.tasks)
