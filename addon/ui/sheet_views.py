# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets and comparisons in Image Editors: which editor one is in, and what has it drawn there.

They are drawn over whatever the editor shows, so nothing of the file changes when one opens or closes.
"""

from collections.abc import Coroutine, Sequence
from typing import Any

import bpy

from ..overlay.comparison_drawing import comparison_frame, draw_comparison
from ..overlay.sheet_drawing import draw_sheet, surroundings
from ..pictures.comparison import Comparison
from ..pictures.contact_sheet import ContactSheet, SheetCell, cell_of_task, common, contact_sheet, extended
from ..pictures.image import ENTRY
from ..runtime.app import app
from ..runtime.windows import EDITOR, redraw
from ..session.task import Task, Viewpoint
from .context import Context
from .image_editor import current, following_editors, painted_now, split_off


def sheet_in(context: Context) -> ContactSheet | None:
    """The sheet in the Image Editor of this context."""
    sheet = app().sheet
    return sheet if sheet is not None and sheet.space == _space(context) else None


def comparison_in(context: Context) -> Comparison | None:
    """The comparison there, likewise."""
    comparison = app().comparison
    return comparison if comparison is not None and comparison.space == _space(context) else None


def _space(context: Context) -> int:
    """The address of the Image Editor's space; 0 elsewhere, in UV Editors too."""
    there = context.area is not None and context.area.ui_type == EDITOR
    return context.space_data.as_pointer() if there else 0


def uncover(editor: bpy.types.Area) -> None:
    """Have an Image Editor show its picture, and nothing over it."""
    application, space = app(), editor.spaces.active.as_pointer()
    if application.sheet is not None and application.sheet.space == space:
        application.sheet = None
    if application.comparison is not None and application.comparison.space == space:
        application.comparison = None


def editor_for(context: Context) -> bpy.types.Area | None:
    """The Image Editor that was pressed in, else one that is open, else a new one; None where there is no room."""
    if context.area is not None and context.area.ui_type == EDITOR:
        return context.area
    screen = context.screen
    return next((area for area in screen.areas if area.ui_type == EDITOR), None) or split_off(screen)


async def onto_sheet(
    sending: Coroutine[Any, Any, int | None], view: Viewpoint, first: Sequence[SheetCell] = ()
) -> int | None:
    """Send what is asked for, and lay it out in an Image Editor when it is more than one picture; the answer is that of
    the sending. ``view`` is this press's own, ``first`` what it is a variation of."""
    following = await sending
    tasks = [task for task in app().session.tasks if task.view is view]
    if tasks and not bpy.app.background:
        _lay_out(tasks, first)
    return following


def _lay_out(tasks: Sequence[Task], first: Sequence[SheetCell]) -> None:
    """On the sheet that is open, where these are of its request; else on a new one, where they are several. One picture
    of something else ends the sheet: it is to be seen as it develops."""
    application, request, cells = app(), common(tasks[-1].request), tuple(cell_of_task(task) for task in tasks)
    sheet = application.sheet
    if sheet is not None and sheet.request == request:
        application.sheet = extended(sheet, cells)
    elif len(first) + len(cells) > 1:
        space = sheet.space if sheet is not None else _open_editor()
        application.sheet = contact_sheet(space, request, (*first, *cells)) if space else None
    else:
        application.sheet = None
    redraw()


def _open_editor() -> int:
    """The address of the space of an Image Editor that would show our next picture; 0 without one."""
    return next((area.spaces.active.as_pointer() for _, area in following_editors()), 0)


def _draw() -> None:
    context: Any = bpy.context
    sheet, comparison, application = sheet_in(context), comparison_in(context), app()
    if sheet is None and comparison is None:
        return
    around = surroundings(context.area, context.region)
    if comparison is not None:
        textures = application.comparison_textures
        draw_comparison(comparison, textures, comparison_frame(comparison, textures, context.region.view2d), around)
    elif sheet is not None:
        picture, preview = current(context.scene), application.preview_image.texture
        developing = {} if preview is None else {painted_now(): preview}
        name = picture.get(ENTRY, "") if picture is not None else ""
        draw_sheet(sheet, application.sheet_textures, around, name, developing)


def register() -> None:
    """Draw in Image Editors from now on. In the background there are none."""
    if not bpy.app.background:
        app().sheet_drawing = bpy.types.SpaceImageEditor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def unregister() -> None:
    """Draw no more."""
    if app().sheet_drawing is not None:
        bpy.types.SpaceImageEditor.draw_handler_remove(app().sheet_drawing, "WINDOW")
