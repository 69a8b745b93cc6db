# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's windows: whether one is busy, and having panels drawn again."""

import bpy

EDITOR = "IMAGE_EDITOR"  # as a ui_type; of the areas of that type, some are UV Editors


MOVES = {"BLOCKING", "UNDO"}  # what a modal operator says that changes the scene; of a macro, as Shift D, the second


def occupied() -> bool:
    """A render runs, or the artist is in the middle of a move: an undo step now would tear it."""
    modal = (operator for window in bpy.context.window_manager.windows for operator in window.modal_operators)
    torn = (MOVES & operator.bl_options for operator in modal)
    return bpy.app.is_job_running("RENDER") or any(torn)


def redraw() -> None:
    """Have the panels drawn again, and the preview in Image Editors; not the 3D View itself, which may be heavy."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            shown = {"VIEW_3D": "UI", "IMAGE_EDITOR": "WINDOW"}.get(area.type)
            for region in area.regions:
                if region.type == shown:
                    region.tag_redraw()
