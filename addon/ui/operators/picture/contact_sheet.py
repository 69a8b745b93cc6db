# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of one request side by side in an Image Editor; what its keys and buttons do with the selected one."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import bpy

from ....messages import sentences
from ....messages.errors import Misfit
from ....pictures.contact_sheet import (
    CELLS_MAX,
    SheetCell,
    cell_of_entry,
    cell_of_task,
    common,
    common_of_entry,
    contact_sheet,
)
from ....pictures.gallery import entries
from ....pictures.image import ENTRY, REQUEST
from ....pictures.origin import scene_of
from ....runtime.app import app
from ....session.seeds import coming
from ....session.task import Task
from ...context import Context
from ...image_editor import current
from ...sheet_views import comparison_in, editor_for, sheet_in
from ..status import Status, call, refuse, refusing, settle
from .history import Favour, entry_of
from .reuse import ShowEntry
from .vary import VaryEntry


class OpenSheet(bpy.types.Operator):
    """The latest pictures of this request side by side in an Image Editor, to be taken, starred, varied or compared"""

    bl_idname = "maquette.contact_sheet"
    bl_label = "Contact Sheet"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return context.area is not None

    @refusing
    def execute(self, context: Context) -> Status:
        tasks = _coming(context.scene)
        request = _latest(context.scene, tasks)
        if not request:
            raise Misfit("There is no picture yet.", "Press Generate first.")
        cells = (
            *_painted(context, request),
            *(cell_of_task(task) for task in tasks if common(task.request) == request),
        )
        editor = editor_for(context)
        if editor is None:
            return refuse(self, sentences.no_editor())
        sheet = contact_sheet(editor.spaces.active.as_pointer(), request, cells)
        app().sheet, app().comparison = sheet, None
        editor.tag_redraw()
        return settle()


class TakeCell(bpy.types.Operator):
    """Make the selected picture the scene's current one, as it was when it arrived"""

    bl_idname = "maquette.take_cell"
    bl_label = "Take"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(selected(context))

    def execute(self, context: Context) -> Status:
        sheet = app().sheet
        status = call(ShowEntry.bl_idname, "EXEC_DEFAULT", True, name=selected(context))
        finished = status == {"FINISHED"}  # and not refused
        app().sheet = sheet and replace(sheet, taken=sheet.taken or finished)  # which to be shown it would have left
        return status


class StarCell(bpy.types.Operator):
    """Make the selected picture a favourite, which is never deleted to make room; or an ordinary one again"""

    bl_idname = "maquette.star_cell"
    bl_label = "Star"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(selected(context))

    def execute(self, context: Context) -> Status:
        return call(Favour.bl_idname, "EXEC_DEFAULT", True, name=selected(context))


class VaryCell(bpy.types.Operator):
    """Paint the selected picture again, a little otherwise: onto this sheet, as many as you like"""

    bl_idname = "maquette.vary_cell"
    bl_label = "Vary"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(selected(context))

    def execute(self, context: Context) -> Status:
        return call(VaryEntry.bl_idname, "INVOKE_DEFAULT", name=selected(context))


class CompareCells(bpy.types.Operator):
    """Compare the selected picture with the other one that is marked, by Shift and a click, or with the scene's"""

    bl_idname = "maquette.compare_cells"
    bl_label = "Compare"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(selected(context))

    def execute(self, context: Context) -> Status:
        sheet = sheet_in(context)
        assert sheet is not None, "as poll says"
        other = "" if sheet.second is None else sheet.cells[sheet.second].name
        return call("maquette.compare", name=selected(context), other=other)


class LeaveSheet(bpy.types.Operator):
    """Back to what the editor showed before"""

    bl_idname = "maquette.leave_sheet"
    bl_label = "Back"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return sheet_in(context) is not None or comparison_in(context) is not None

    def execute(self, context: Context) -> Status:
        if comparison_in(context) is not None:
            app().comparison = None
        else:
            app().sheet = None
        if context.area is not None:
            context.area.tag_redraw()
        return {"FINISHED"}


def selected(context: Context) -> str:
    """The name of the picture that is selected on the sheet of this editor; "" where there is none."""
    sheet = sheet_in(context) if comparison_in(context) is None else None
    return sheet.cell.name if sheet is not None else ""


def _coming(scene: bpy.types.Scene) -> list[Task]:
    """What was asked for of the scene and has not arrived; frames of a sequence go to that, and to no sheet."""
    tasks = [task for task in app().session.tasks if coming(task) and not task.view.sequence]
    return [task for task in tasks if scene_of(task.view) == scene]


def _latest(scene: bpy.types.Scene, tasks: list[Task]) -> str:
    """What is common to the pictures asked for last, else to the scene's picture and its like; "" without either."""
    if tasks:
        return common(tasks[-1].request)
    image, items = current(scene), entries(scene)
    if image is not None and image.get(REQUEST):
        return common(image[REQUEST])
    return common_of_entry(items[-1].text) if items else ""


def _painted(context: Context, request: str) -> Iterator[SheetCell]:
    """Of the scene's history the newest pictures of that request, oldest first; else the scene's own alone."""
    newest = reversed(entries(context.scene))
    alike = list(islice((item.name for item in newest if common_of_entry(item.text) == request), CELLS_MAX))
    for name in reversed(alike):
        facts = app().gallery.facts(name)
        yield SheetCell(facts=facts, name=name) if facts else cell_of_entry(entry_of(context, name))
    image = current(context.scene)
    if not alike and image is not None and common(image.get(REQUEST, "{}")) == request:
        yield cell_of_entry(entry_of(context, image.get(ENTRY, "")))


CLASSES = (OpenSheet, TakeCell, StarCell, VaryCell, CompareCells, LeaveSheet)
