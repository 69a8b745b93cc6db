# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands on contact sheets and comparisons: a click on a cell, and the line that is dragged.

Gizmos, for these are asked before an editor's tools are. They draw nothing: ``sheet_views`` does.
"""

from dataclasses import replace
from typing import Any

import bpy

from ..overlay.comparison_drawing import comparison_frame
from ..overlay.sheet_drawing import sheet_cells, surroundings
from ..overlay.sheet_layout import Bounds, cell_at, fraction_at
from ..pictures.contact_sheet import chosen
from ..runtime.app import app
from .context import Context
from .sheet_views import comparison_in, sheet_in


class MAQUETTE_GT_sheet(bpy.types.Gizmo):
    """Hears clicks anywhere on a contact sheet; one on a cell selects it, with Shift as the one to compare with."""

    bl_idname = "MAQUETTE_GT_sheet"

    def draw(self, context: Context) -> None:
        """Nothing."""

    def test_select(self, context: Context, location: tuple[int, int]) -> int:
        """All of the editor is ours: below it lies a picture that nobody sees."""
        return 0

    def invoke(self, context: Context, event: bpy.types.Event) -> set[str]:
        sheet, area = sheet_in(context), context.area
        if sheet is not None and area is not None:
            lie = sheet_cells(sheet, app().sheet_textures, surroundings(area, context.region))
            index = cell_at(lie, event.mouse_region_x, event.mouse_region_y)
            if index is not None:
                app().sheet = chosen(sheet, index, event.shift)
            redraw_area(area)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: bpy.types.Event, tweak: set[str]) -> set[str]:
        """Until the button is released; without this Blender would not invoke it."""
        return {"RUNNING_MODAL"}


class MAQUETTE_GT_line(bpy.types.Gizmo):
    """The line of a comparison: it comes to the pointer, and follows it until the button is released."""

    bl_idname = "MAQUETTE_GT_line"
    __slots__ = ("before",)

    def draw(self, context: Context) -> None:
        """Nothing."""

    def test_select(self, context: Context, location: tuple[int, int]) -> int:
        """Anywhere on the pictures."""
        frame = _frame(context)
        return 0 if frame is not None and frame.holds(*location) else -1

    def invoke(self, context: Context, event: bpy.types.Event) -> set[str]:
        comparison = comparison_in(context)
        self.before = 0.5 if comparison is None else comparison.line
        _move(context, event.mouse_region_x)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: bpy.types.Event, tweak: set[str]) -> set[str]:
        """The pointer has moved."""
        _move(context, event.mouse_region_x)
        return {"RUNNING_MODAL"}

    def exit(self, context: Context, cancel: bool) -> None:
        """Let go, or put back."""
        comparison = comparison_in(context)
        if cancel and comparison is not None:
            app().comparison = replace(comparison, line=self.before)
            redraw_area(context.area)


class SheetGroup:
    """What both groups have in common: they are in the main region of Image Editors."""

    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "WINDOW"
    bl_options = {"PERSISTENT", "SHOW_MODAL_ALL"}


class MAQUETTE_GGT_sheet(SheetGroup, bpy.types.GizmoGroup):
    """A contact sheet that can be clicked."""

    bl_idname = "MAQUETTE_GGT_sheet"
    bl_label = "Contact Sheet"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return sheet_in(context) is not None and comparison_in(context) is None

    def setup(self, context: Context) -> None:
        """One gizmo for all of it."""
        self.gizmos.new(MAQUETTE_GT_sheet.bl_idname)


class MAQUETTE_GGT_line(SheetGroup, bpy.types.GizmoGroup):
    """A comparison's line that can be dragged."""

    bl_idname = "MAQUETTE_GGT_line"
    bl_label = "Comparison"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return comparison_in(context) is not None

    def setup(self, context: Context) -> None:
        """One gizmo for all of it."""
        self.gizmos.new(MAQUETTE_GT_line.bl_idname)


def redraw_area(area: bpy.types.Area | None) -> None:
    """Have an editor and its sidebar drawn again."""
    for region in area.regions if area is not None else ():
        region.tag_redraw()


def _frame(context: Context) -> Bounds | None:
    comparison = comparison_in(context)
    if comparison is None:
        return None
    return comparison_frame(comparison, app().comparison_textures, context.region.view2d)


def _move(context: Context, x: int) -> None:
    comparison, frame = comparison_in(context), _frame(context)
    if comparison is not None and frame is not None:
        app().comparison = replace(comparison, line=fraction_at(frame, x))
        redraw_area(context.area)


CLASSES: tuple[Any, ...] = (  # Blender registers gizmos too, which its stub does not say
    MAQUETTE_GT_sheet,
    MAQUETTE_GT_line,
    MAQUETTE_GGT_sheet,
    MAQUETTE_GGT_line,
)


def register() -> None:
    """Have Blender know them."""
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister() -> None:
    """Have Blender forget them."""
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
