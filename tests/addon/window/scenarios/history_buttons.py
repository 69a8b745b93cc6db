# SPDX-License-Identifier: MIT
"""The history in a window: two pictures, each button and its one undo step, and what a file remembers of them."""

import json
from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver.user_input import (
    arrange,
    ask,
    desktop,
    operator_context,
    press,
    rest,
    screenshot,
    undo,
)
from tests.addon.window.scenarios.walkthrough import finished

# prompt, seed, steps
REQUESTS = (("a castle and a rocket on a meadow", 5, 3), ("a castle and a rocket at night", 9, 4))


def use_history(app, folder: Path, report: dict) -> Iterator:
    """Paint twice; then every button of the history, and File > Save, New, Open."""
    yield from desktop()
    press("add_selected")
    press("start_server")
    yield lambda: app.session.link.name == "online"
    for request in REQUESTS:
        yield from paint(app, request, report)
    yield lambda: all(icons(app))
    older, newer = (item.name for item in bpy.context.scene.maquette_history)
    press("choose_entry", name=older)
    yield from screenshot(folder / "remembering.png")
    reuse(older, report)
    show(older, report)
    star(app, older, report)
    yield from save(app, older, folder, report)
    yield from delete(app, older, folder, report)
    yield from on_disk(app, report)
    yield from files(app, folder, report)
    report["newer shown"] = press("show_entry", name=newer) == {"FINISHED"}


def paint(app, request: tuple, report: dict) -> Iterator:
    """One picture, as it is typed and asked for."""
    write(request)
    yield from ask(app)
    yield from finished(app)
    report.setdefault("images", []).append(sorted(image.name for image in bpy.data.images))


def write(request: tuple) -> None:
    """The settings, in one undo step, as typing makes one."""
    scene = bpy.context.scene
    scene.maquette_prompt, scene.maquette_seed, scene.maquette_steps = request
    scene.maquette_vary = False  # or the seed would move on with each press
    with operator_context():
        bpy.ops.ed.undo_push(message="typed")


def panel_settings() -> list:
    """What the panel asks for."""
    scene = bpy.context.scene
    return [scene.maquette_prompt, scene.maquette_seed, scene.maquette_steps]


def icons(app) -> list[int]:
    """The thumbnails of the open file's history; 0 for one that is not there yet."""
    return [app.gallery.icon(item.name) for item in bpy.context.scene.maquette_history]


def reuse(name: str, report: dict) -> None:
    """Prompt, seed and everything: what each takes up, and what one undo gives back."""
    for part in ("PROMPT", "SEED", "EVERYTHING"):
        press("reuse", name=name, what=part)
        settings = panel_settings()
        undo()
        report.setdefault("reuse", {})[part] = (settings, panel_settings())


def seed_in_scene() -> int:
    """The seed of the scene's picture."""
    return json.loads(bpy.context.scene["maquette_picture"]["maquette_request"])["seed"]


def show(name: str, report: dict) -> None:
    """The earlier picture as the current one, and back."""
    before = seed_in_scene()
    press("show_entry", name=name)
    after = seed_in_scene()
    undo()
    report["show"] = (before, after, seed_in_scene())


def star(app, name: str, report: dict) -> None:
    """The star in the file and on disk; one undo takes it off, one redo puts it back."""
    mark = app.gallery.folder / f"{name}.favourite"
    press("favour", name=name)
    starred = (bpy.context.scene.maquette_history[name].favourite, mark.exists())
    undo()
    unstarred = bpy.context.scene.maquette_history[name].favourite
    with operator_context():
        bpy.ops.ed.redo()
    report["favourite"] = (starred, unstarred, bpy.context.scene.maquette_history[name].favourite)


def save(app, name: str, folder: Path, report: dict) -> Iterator:
    """To a file of the artist's, as it is on disk, with its request inside."""
    copy, before = folder / "kept", (panel_settings(), len(bpy.context.scene.maquette_history))
    with operator_context():
        bpy.ops.maquette.save_entry("EXEC_DEFAULT", True, name=name, filepath=str(copy))
    saved = copy.with_suffix(".png")
    kept = (app.gallery.folder / f"{name}.png").read_bytes()
    report["saved"] = saved.read_bytes().startswith(kept[:-12])  # and then it says more
    report["nothing else by saving"] = before == (panel_settings(), len(bpy.context.scene.maquette_history))
    yield from rest()


def delete(app, name: str, folder: Path, report: dict) -> Iterator:
    """Gone from file and disk; Undo brings the thumbnail back."""
    with operator_context():
        bpy.ops.maquette.delete_entry("EXEC_DEFAULT", True, name=name)
    yield lambda: not app.gallery.icon(name)
    left = len(bpy.context.scene.maquette_history), len(list(app.gallery.folder.glob(f"{name}.*")))
    undo()
    yield lambda: all(icons(app))
    report["deleted"] = (*left, len(bpy.context.scene.maquette_history))
    press("show_entry", name=name)
    report["full picture"] = app.session.notice.code
    yield from screenshot(folder / "deleted.png")
    press("dismiss")


def on_disk(app, report: dict) -> Iterator:
    """The other history has what is left there."""
    bpy.context.window_manager.maquette_scope = "DISK"
    yield lambda: app.gallery.disk_tiles
    report["on disk"] = [tile.name for tile in app.gallery.disk_tiles]
    bpy.context.window_manager.maquette_scope = "FILE"


def files(app, folder: Path, report: dict) -> Iterator:
    """Saved, left for a new file, opened again."""
    names, saved = [item.name for item in bpy.context.scene.maquette_history], str(folder / "remembering.blend")
    bpy.ops.wm.save_as_mainfile(filepath=saved, check_existing=False)
    with operator_context():
        bpy.ops.wm.read_homefile()
    yield lambda: not app.gallery.icon(names[0])  # the other is in the disk's history, too
    report["new file"] = len(bpy.context.scene.maquette_history)
    with operator_context():
        bpy.ops.wm.open_mainfile(filepath=saved)
    yield lambda: icons(app) and all(icons(app))
    report["opened"] = names == [item.name for item in bpy.context.scene.maquette_history]
    yield from arrange()
    yield from screenshot(folder / "opened.png")
