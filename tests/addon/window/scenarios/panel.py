# SPDX-License-Identifier: MIT
"""The panel in every state that it has: where its buttons are on the screen in each, and a picture of each screen."""

import time
from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver.row_widths import cut_words
from tests.addon.window.driver.user_input import (
    area,
    ask,
    desktop,
    find,
    operator_context,
    press,
    rest,
    screenshot,
    sidebar,
    undo,
    window,
)
from tests.addon.window.scenarios.walkthrough import PROMPT, finished

MARKS = ("maquette.generate", "maquette.switch_part")  # a button above the stage, and one below it
REDRAWN = 15.0  # seconds in which a busy machine has drawn the window anew


def panel_states(app, folder: Path, report: dict) -> Iterator:
    """Before the first picture, with messages short and long, while one is painted, and after it."""
    report["places"], report["messages"], report["cut"] = {}, {}, {}
    yield from desktop()
    press("add_selected")
    yield from state("first", folder, report)
    bpy.context.scene.maquette_prompt = "a meadow"
    press("generate")
    yield lambda: app.session.notice is not None
    yield from state("message", folder, report)
    bpy.context.scene.maquette_prompt = PROMPT
    press("start_server")
    yield lambda: app.session.link.name == "online"
    bpy.context.scene.maquette_steps = 300
    yield from ask(app)
    yield from ask(app)
    yield lambda: app.preview_image.icon != 0
    yield from state("painting", folder, report)
    press("cancel", scope="WAITING")
    press("project")
    report["messages"]["project"] = app.session.notice.section
    yield from screenshot(folder / "section.png")
    press("dismiss")
    with operator_context():
        bpy.ops.object.select_all(action="DESELECT")
    press("add_selected")
    report["messages"]["add selected"] = app.session.notice.section
    yield from screenshot(folder / "regions.png")
    press("dismiss")
    press("cancel", scope="ALL")
    yield lambda: not app.session.waiting
    bpy.context.scene.maquette_steps = 10
    yield from ask(app)
    yield from finished(app)
    yield from state("done", folder, report)
    yield from editors(app, report)
    yield from image_editor(folder)
    yield from larger(folder)
    press("stop_server")
    yield lambda: app.server is None
    yield from state("stopped", folder, report)


def larger(folder: Path) -> Iterator:
    """At another scale."""
    bpy.context.preferences.view.ui_scale = 1.5
    yield from rest(1.0)
    yield from screenshot(folder / "scale.png", settle=2.0)
    bpy.context.preferences.view.ui_scale = 1.0
    yield from rest(1.0)


def state(name: str, folder: Path, report: dict) -> Iterator:
    """A picture of the screen; then how far from the sidebar's top the two buttons are."""
    yield from screenshot(folder / f"{name}.png", settle=2.0)
    top = sidebar().y + sidebar().height
    places = []
    for mark in MARKS:
        _, y = yield from find("copy_python_command_button", mark)
        places.append(top - y)
    report["places"][name] = places
    report["cut"][name], report["width"] = cut_words(), sidebar().width


def editors(app, report: dict) -> Iterator:
    """An arrival undone, and redone: the Image Editor has its picture again."""
    editor = area("IMAGE_EDITOR").spaces.active
    picture = bpy.context.scene["maquette_picture"].session_uid
    undo()
    yield from rest(0.5)
    earlier = bpy.context.scene.get("maquette_picture")
    report["undone"] = earlier is None or earlier.session_uid != picture
    with bpy.context.temp_override(window=window()):
        bpy.ops.ed.redo()
    until = time.monotonic() + REDRAWN
    yield lambda: area("IMAGE_EDITOR").spaces.active.image is not None or time.monotonic() > until
    editor = area("IMAGE_EDITOR").spaces.active
    current = bpy.context.scene.get("maquette_picture")
    report["picture"] = [picture, current and current.session_uid, editor.image and editor.image.session_uid]
    report["redone"] = editor.image is not None and editor.image.session_uid == picture


def image_editor(folder: Path) -> Iterator:
    """The same panel beside the picture."""
    editor = area("IMAGE_EDITOR")
    editor.spaces.active.show_region_ui = True
    yield from rest(0.5)
    next(region for region in editor.regions if region.type == "UI").active_panel_category = "Maquette"
    yield from screenshot(folder / "editor.png", settle=2.0)
