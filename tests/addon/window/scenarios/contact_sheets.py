# SPDX-License-Identifier: MIT
"""Several pictures side by side in a window: a sheet that fills, is clicked and worked by keys; and a comparison."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver.main_thread_time import clock
from tests.addon.window.driver.user_input import (
    area,
    canvas,
    desktop,
    operator_context,
    point,
    press,
    rest,
    screenshot,
    undo,
    window,
)
from tests.addon.window.scenarios.interruptions import ADDON
from tests.addon.window.scenarios.walkthrough import PROMPT, SEED, finished

COUNT, STEPS = 4, 8


def contact_sheets(app, folder: Path, report: dict) -> Iterator:
    """A sheet of four; each key on it; a comparison; and what else may happen while one is open."""
    yield from desktop()
    measure(report)
    press("add_selected")
    scene = bpy.context.scene
    scene.maquette_prompt, scene.maquette_steps, scene.maquette_count = PROMPT, STEPS, COUNT
    scene.maquette_seed = SEED
    press("start_server")
    yield lambda: app.session.link.name == "online"
    yield from fill(app, folder, report)
    scene.maquette_steps = 5
    yield from take(app, report)
    yield from star(app, folder, report)
    yield from vary(app, folder, report)
    yield from compare(app, folder, report)
    yield from leave(app, folder, report)
    yield from again(app, folder, report)
    yield from new_file(app, folder, report)


def measure(report: dict) -> None:
    """Seconds that drawing holds the main thread, besides what the runner measures."""
    views = sys.modules[f"{ADDON}.ui.sheet_views"]
    timers = sys.modules[f"{ADDON}.runtime.timers"]
    report["seconds"] = {}
    for owner, name in ((views, "draw_sheet"), (views, "draw_comparison"), (timers, "renew")):
        setattr(owner, name, timed(getattr(owner, name), report["seconds"].setdefault(name, [])))


def timed(function: Callable, durations: list[float]) -> Callable:
    """The same function, with the time of each run noted."""

    def measured(*arguments, **more):
        begun = clock()
        result = function(*arguments, **more)
        durations.append(clock() - begun)
        return result

    return measured


def editor() -> bpy.types.Region:
    """The Image Editor's main region."""
    return canvas(area("IMAGE_EDITOR"))


def fill(app, folder: Path, report: dict) -> Iterator:
    """Generate: the cells are there before their pictures."""
    press("generate")
    yield lambda: app.sheet is not None and any(cell.name for cell in app.sheet.cells)
    report["while painted"] = [bool(cell.name or cell.words) for cell in app.sheet.cells]
    yield from screenshot(folder / "filling.png", settle=0.6)
    yield from finished(app)
    yield lambda: all(cell.name for cell in app.sheet.cells)
    yield lambda: all(app.sheet_textures.aspect(cell.name) for cell in app.sheet.cells)
    report["labels"] = [cell.label for cell in app.sheet.cells]
    report["seeds"] = [task.job.seed for task in app.session.tasks]
    report["images"] = [image.name for image in bpy.data.images if image.type == "IMAGE"]
    yield from screenshot(folder / "sheet.png")


def cell_middle(app, index: int) -> tuple[int, int]:
    """Where a cell is in the window."""
    drawing, region = sys.modules[f"{ADDON}.overlay.sheet_drawing"], editor()
    around = drawing.surroundings(area("IMAGE_EDITOR"), region)
    bounds = drawing.sheet_cells(app.sheet, app.sheet_textures, around)[index].picture
    return round(region.x + (bounds.left + bounds.right) / 2), round(region.y + (bounds.bottom + bounds.top) / 2)


def select(app, index: int, shift: bool = False) -> Iterator:
    """A click on a cell."""
    x, y = cell_middle(app, index)
    yield from point(x + 3, y)
    yield from point(x, y)
    for value in ("PRESS", "RELEASE"):
        window().event_simulate("LEFTMOUSE", value, x=x, y=y, shift=shift)
    yield from rest(0.3)


def key(name: str) -> Iterator:
    """A key over the Image Editor."""
    x, y = editor().x + 40, editor().y + 40
    yield from point(x, y)
    for value in ("PRESS", "RELEASE"):
        window().event_simulate(name, value, x=x, y=y)
    yield from rest(0.5)


def current() -> str:
    """The name of the scene's picture in the history."""
    picture = bpy.context.scene.get("maquette_picture")
    return "" if picture is None else picture["maquette_entry"]


def redo() -> None:
    """Ctrl Shift Z."""
    with operator_context():
        bpy.ops.ed.redo()


def take(app, report: dict) -> Iterator:
    """The second one: it is the scene's; undone and redone, with the sheet as it was."""
    names = list(app.sheet.names)
    yield from select(app, 1)
    report["selected"] = app.sheet.selected
    before = current()
    yield from key("RET")
    report["taken"] = current() == names[1] != before
    undo()
    yield from rest(0.5)
    report["taken, undone"] = current() == before
    redo()
    yield from rest(0.5)
    report["taken, redone"] = current() == names[1]
    report["sheet after undo and redo"] = list(app.sheet.names) == names
    report["images after taking"] = len([image for image in bpy.data.images if image.type == "IMAGE"])


def star(app, folder: Path, report: dict) -> Iterator:
    """S makes a favourite, on the sheet too; undo takes the star off."""
    yield from select(app, 2)
    yield from key("S")
    yield lambda: app.sheet.cell.favourite
    item = bpy.context.scene.maquette_history[app.sheet.cell.name]
    report["starred"] = [item.favourite, (app.gallery.folder / f"{item.name}.favourite").exists()]
    yield from screenshot(folder / "starred.png")
    undo()
    yield lambda: not app.sheet.cell.favourite
    redo()
    yield lambda: app.sheet.cell.favourite


def vary(app, folder: Path, report: dict) -> Iterator:
    """V asks how far and how many; they come onto the sheet."""
    yield from key("V")
    yield from screenshot(folder / "varying.png")
    yield from key("ESC")
    name = app.sheet.cell.name
    with operator_context():
        bpy.ops.maquette.vary_entry("EXEC_DEFAULT", True, name=name, amount=0.4, count=2)
    yield lambda: len(app.sheet.cells) == COUNT + 2
    yield from finished(app)
    yield lambda: all(cell.name for cell in app.sheet.cells)
    report["varied"] = [cell.label for cell in app.sheet.cells[COUNT:]]
    yield from screenshot(folder / "varied.png")
    yield from beside(folder)


def beside(folder: Path) -> Iterator:
    """The panel in the editor itself: its second row is for the sheet, which makes room."""
    space = area("IMAGE_EDITOR").spaces.active
    space.show_region_ui = True
    yield from rest(1.5)
    next(region for region in area("IMAGE_EDITOR").regions if region.type == "UI").active_panel_category = "Maquette"
    yield from screenshot(folder / "beside.png")
    space.show_region_ui = False
    yield from rest(0.5)


def compare(app, folder: Path, report: dict) -> Iterator:
    """Two cells marked, C: the line follows a drag; Esc leads back to the sheet."""
    yield from select(app, 0)
    yield from select(app, 2, shift=True)
    report["marked"] = [app.sheet.selected, app.sheet.second]
    yield from key("C")
    yield lambda: app.comparison is not None and all(map(app.comparison_textures.aspect, app.comparison.names))
    report["compared"] = list(app.comparison.names) == [app.sheet.names[2], app.sheet.names[0]]
    yield from screenshot(folder / "compare.png")
    yield from drag(app, 0.5, 0.2)
    report["dragged"] = app.comparison.line
    with bpy.context.temp_override(window=window(), area=area("IMAGE_EDITOR"), region=editor()):
        bpy.ops.image.view_zoom_ratio(ratio=4.0)
    yield from screenshot(folder / "compare-zoomed.png")
    yield from drag(app, 0.3, 0.6)
    report["dragged, zoomed"] = app.comparison.line
    yield from key("ESC")
    report["back on the sheet"] = app.comparison is None and app.sheet is not None


def comparison_bounds(app):
    """Where the pictures lie in the editor's region."""
    drawing = sys.modules[f"{ADDON}.overlay.comparison_drawing"]
    return drawing.comparison_frame(app.comparison, app.comparison_textures, editor().view2d)


def drag(app, start: float, end: float) -> Iterator:
    """The button pressed at one fraction of the frame's width, released at another."""
    frame, region = comparison_bounds(app), editor()
    y = round(region.y + max(60.0, min(region.height - 60.0, (frame.bottom + frame.top) / 2)))
    first, last = (round(region.x + frame.left + frame.width * fraction) for fraction in (start, end))
    yield from point(first + 2, y)
    yield from point(first, y)
    window().event_simulate("LEFTMOUSE", "PRESS", x=first, y=y)
    yield from rest()
    for x in ((first + last) // 2, last):
        yield from point(x, y)
    window().event_simulate("LEFTMOUSE", "RELEASE", x=last, y=y)
    yield from rest(0.3)


def leave(app, folder: Path, report: dict) -> Iterator:
    """Esc: the editor shows what it did, and nothing is left on the graphics card or in a file."""
    yield from key("ESC")
    yield lambda: not app.sheet_textures._aspects and not app.comparison_textures._aspects
    report["left"] = app.sheet is None
    shown = area("IMAGE_EDITOR").spaces.active.image
    report["shown again"] = shown is not None and shown == bpy.context.scene["maquette_picture"]
    report["images in the end"] = len([image for image in bpy.data.images if image.type == "IMAGE"])
    yield from screenshot(folder / "left.png")


def again(app, folder: Path, report: dict) -> Iterator:
    """By its button: all of the request; one is deleted, and all results are removed; neither disturbs it."""
    press("contact_sheet")
    report["again"] = [cell.label for cell in app.sheet.cells]
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "open-sheet.blend"), copy=True, check_existing=False)
    with bpy.data.libraries.load(str(folder / "open-sheet.blend")) as (saved, _):
        report["images in the file"] = [name for name in saved.images if name.startswith("Maquette")]
    press("background")
    press("remove_results")
    taken = bpy.context.scene["maquette_picture"]["maquette_entry"]
    other = next(cell.name for cell in app.sheet.cells if cell.name not in ("", taken))
    with operator_context():
        bpy.ops.maquette.delete_entry("EXEC_DEFAULT", True, name=other)
    report["after deleting one"] = len(app.sheet.cells)
    yield from rest(0.5)
    press("compare")
    yield lambda: app.comparison is not None and all(map(app.comparison_textures.aspect, app.comparison.names))
    yield from screenshot(folder / "compare-latest.png")
    press("show")
    report["shown instead"] = app.sheet is None and app.comparison is None


def new_file(app, folder: Path, report: dict) -> Iterator:
    """A new file in the middle of it: sheet and comparison are gone."""
    before = len(app.session.tasks)
    press("generate")
    yield lambda: len(app.session.tasks) >= min(20, before + COUNT)
    with operator_context():
        bpy.ops.wm.read_homefile()
    yield from rest(1.0)
    report["after a new file"] = [app.sheet, app.comparison, len(app.sheet_textures._aspects)]
    yield lambda: not app.session.waiting and not app.session.receivable
    report["images in a new file"] = len([image for image in bpy.data.images if image.type == "IMAGE"])
