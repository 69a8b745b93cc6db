# SPDX-License-Identifier: MIT
"""An artist's hands and eyes in a real window: operators with a click's context, real mouse and keys, screenshots."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import bpy

ROW = 11  # pixels between two looks for a button
REST = 0.12  # seconds that the window needs to notice a pointer


def window() -> bpy.types.Window:
    """The one window."""
    return bpy.context.window_manager.windows[0]


def view() -> bpy.types.Area:
    """The 3D View."""
    return area("VIEW_3D")


def sidebar() -> bpy.types.Region:
    """Where the panels are."""
    return next(region for region in view().regions if region.type == "UI")


def operator_context():
    """The context an artist's click in the sidebar has; timers have none."""
    return bpy.context.temp_override(window=window(), area=view(), region=sidebar())


def press(button: str, **arguments) -> set:
    """A button of the panel, with the context it would have there."""
    with operator_context():
        return getattr(bpy.ops.maquette, button)("INVOKE_DEFAULT", True, **arguments)


def project() -> Iterator:
    """Project the picture, until it is on the objects: what the camera sees is worked out meanwhile."""
    press("project")
    yield lambda: all(operator.bl_idname != "MAQUETTE_OT_project" for operator in window().modal_operators)


def ask(app) -> Iterator:
    """Press Generate, and wait until the server has taken it."""
    before = len(app.session.tasks)
    press("generate")
    yield lambda: len(app.session.tasks) > before


def arrange() -> Iterator:
    """The sidebar open at our tab; a window that was just loaded needs a moment before it is the one that stays."""
    yield from rest(0.5)
    view().spaces.active.show_region_ui = True
    yield from rest(0.3)
    sidebar().active_panel_category = "Maquette"
    look("CAMERA", "SOLID")


def desktop() -> Iterator:
    """Nothing but a 3D View and an empty Image Editor to its right, so that both and the whole tab have room."""
    for kind in ("DOPESHEET_EDITOR", "OUTLINER", "PROPERTIES"):
        with bpy.context.temp_override(window=window(), area=area(kind)):
            bpy.ops.screen.area_close()
        yield from rest()
    with bpy.context.temp_override(window=window(), area=view()):
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.63)
    yield from rest()
    max(window().screen.areas, key=lambda area: area.x).ui_type = "IMAGE_EDITOR"
    yield from rest()
    space = view().spaces.active
    space.show_region_toolbar = space.show_gizmo_navigate = False
    space.overlay.show_cursor = space.overlay.show_object_origins = False
    space.region_3d.view_camera_zoom, space.region_3d.view_camera_offset = 9.0, (0.1, 0.0)  # left of the sidebar
    yield from arrange()


def area(kind: str) -> bpy.types.Area:
    """The first area of that type."""
    return next(area for area in window().screen.areas if area.type == kind)


def canvas(area: bpy.types.Area) -> bpy.types.Region:
    """An area's middle, without header and sidebar."""
    return next(region for region in area.regions if region.type == "WINDOW")


def fill_editor() -> None:
    """Have the Image Editor show its picture as large as fits."""
    editor = area("IMAGE_EDITOR")
    with bpy.context.temp_override(window=window(), area=editor, region=canvas(editor)):
        bpy.ops.image.view_all(fit_view=True)


def undo() -> None:
    """Ctrl Z."""
    with operator_context():
        bpy.ops.ed.undo()


def scroll(direction: str, steps: int = 60) -> Iterator:
    """So many steps, or all the way, "up" or "down" the sidebar."""
    yield from rest(0.5)
    for _ in range(steps):  # a small step each, whatever it is asked for
        with operator_context():
            getattr(bpy.ops.view2d, f"scroll_{direction}")()


def look(perspective: str, shading: str) -> None:
    """How the 3D View looks."""
    space = view().spaces.active
    space.region_3d.view_perspective = perspective
    space.shading.type = shading
    if shading == "SOLID":
        space.shading.color_type = "MATERIAL"


def rest(seconds: float = REST) -> Iterator:
    """Let the window go on for so long."""
    until = time.monotonic() + seconds
    yield lambda: time.monotonic() > until


def compile_shaders() -> None:
    """Have what the 3D View shows drawn once to its end: Blender would show half of it for as long as that takes."""
    render = bpy.context.scene.render
    size, render.resolution_percentage = render.resolution_percentage, 10
    with bpy.context.temp_override(window=window(), area=view(), region=canvas(view())):
        bpy.ops.render.opengl(view_context=True)
    render.resolution_percentage = size


def screenshot(path: Path, settle: float = 1.2) -> Iterator:
    """A picture of the whole window, once it has been drawn."""
    view().tag_redraw()
    yield from rest(settle)
    if shutil.which("import"):  # a virtual screen's front buffer reads black from inside Blender
        subprocess.run(["import", "-window", "root", str(path)], check=True)
        return
    with operator_context():
        bpy.ops.screen.screenshot(filepath=str(path))


def point(x: int, y: int) -> Iterator:
    """Move the pointer there."""
    window().event_simulate("MOUSEMOVE", "NOTHING", x=x, y=y)
    yield from rest()


def click(x: int, y: int, times: int = 1) -> Iterator:
    """The left button there."""
    yield from point(x, y)
    for _ in range(times):
        for value in ("PRESS", "RELEASE"):
            window().event_simulate("LEFTMOUSE", value, x=x, y=y)
    yield from rest()


def press_key(key: str, unicode: str = "", **modifiers) -> None:
    """A key, down and up."""
    x, y = sidebar().x + 5, sidebar().y + 5
    window().event_simulate(key, "PRESS", unicode=unicode or None, x=x, y=y, **modifiers)
    window().event_simulate(key, "RELEASE", x=x, y=y, **modifiers)


def find(copy: str, text: str, across: float = 0.33) -> Iterator:
    """Where in the sidebar, that far ``across`` it, the button is whose copied command or path holds ``wanted``.

    Blender has no list of its buttons; but the one under the pointer can be asked for its command or its data path.
    """
    region = sidebar()
    x = region.x + int(region.width * across)
    for y in range(region.y + region.height - 20, region.y + 10, -ROW):
        bpy.context.window_manager.clipboard = ""
        yield from point(x, y)
        with operator_context():
            if getattr(bpy.ops.ui, copy).poll():
                getattr(bpy.ops.ui, copy)()
        if text in bpy.context.window_manager.clipboard:
            return x, y
    raise LookupError(f"no button for {text} in the sidebar")
