# SPDX-License-Identifier: MIT
"""A folder of mixed files, named in the preferences: what it says of each, and a picture by one of them."""

from collections.abc import Iterator
from pathlib import Path

import bpy

from addon.request.settings import MODEL
from tests.addon.window.driver.user_input import ask, desktop, operator_context, press, screenshot, sidebar
from tests.addon.window.scenarios.interruptions import ADDON
from tests.addon.window.scenarios.walkthrough import PROMPT


def name_folders(app, folder: Path, report: dict) -> Iterator:
    """The server runs already; the folder is named, read, painted from, and taken off the list again."""
    yield from desktop()
    press("add_selected")
    press("start_server")
    yield lambda: app.session.link.name == "online"
    with operator_context():  # as its file browser ends
        bpy.ops.maquette.add_model_folder("EXEC_DEFAULT", filepath=f"{folder / 'mixed'}/")
    yield lambda: bool(app.session.library.files) and not app.session.library.scanning
    library = app.session.library
    report["files"] = {file.name: file.trouble for file in library.files}
    report["kinds"] = [known.kind for known in library.folders]
    yield from preferences_shown(folder / "folders.png")
    bpy.context.scene[MODEL] = "paint.fp16"
    bpy.context.scene.maquette_prompt, bpy.context.scene.maquette_size = (
        PROMPT,
        25,
    )  # the painter says masks as they are
    sidebar().tag_redraw()
    yield from ask(app)
    yield lambda: all(task.received or task.job.problem for task in app.session.tasks)
    report["painted with"] = [(task.job.model, task.job.state) for task in app.session.tasks]
    yield from screenshot(folder / "panel.png")
    press("remove_model_folder", path=str(folder / "mixed"))
    yield lambda: not app.session.library.files
    report["models in the end"] = [info.name for info in app.session.link.models]


def preferences_shown(picture: Path) -> Iterator:
    """The add-on's preferences in an editor that fills the window, for a picture."""
    with operator_context():
        bpy.ops.preferences.addon_show(module=ADDON)
    window = bpy.context.window_manager.windows[-1]
    yield lambda: any(area.type == "PREFERENCES" for area in window.screen.areas)
    yield from screenshot(picture)
    with bpy.context.temp_override(window=window, area=window.screen.areas[0]):
        bpy.ops.wm.window_close()
