# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's windows: whether one is busy, and having panels drawn again."""

from collections.abc import Callable
from typing import Literal

import bpy

EDITOR = "IMAGE_EDITOR"  # as a ui_type; of the areas of that type, some are UV Editors
TAB = "Maquette"  # of the sidebar
MOVES = {"BLOCKING", "UNDO"}  # what a modal operator says that changes the scene; of a macro, as Shift D, the second


def window_manager() -> bpy.types.WindowManager:
    """Blender's window manager, which is there in the background too."""
    manager = bpy.context.window_manager
    assert manager is not None
    return manager


def rendering() -> bool:
    """Whether a render runs."""
    is_running: Callable[[Literal["RENDER"]], object] = bpy.app.is_job_running  # None, says its stub
    return bool(is_running("RENDER"))


def occupied() -> bool:
    """A render runs, or the artist is in the middle of a move: an undo step now would tear it."""
    return rendering() or moving()


def moving() -> bool:
    """The artist is in the middle of a move, or of another operator that changes the scene until it ends."""
    modal = (operator for window in window_manager().windows for operator in window.modal_operators)
    return any(MOVES & operator.bl_options for operator in modal)


def playing() -> bool:
    """Whether an animation plays, in any window."""
    return any(window.screen.is_animation_playing for window in window_manager().windows)


def tab_open(area: bpy.types.Area) -> bool:
    """Whether its sidebar shows our tab."""
    return any(
        region.type == "UI" and region.width > 1 and region.active_panel_category == TAB for region in area.regions
    )


def redraw() -> None:
    """Have panels, preferences and the preview in Image Editors drawn again; not the 3D View: it may be heavy."""
    for window in window_manager().windows:
        for area in window.screen.areas:
            drawn = {"VIEW_3D": ("UI",), EDITOR: ("UI", "WINDOW"), "PREFERENCES": ("WINDOW",)}.get(area.type, ())
            for region in area.regions:
                if region.type in drawn:
                    region.tag_redraw()
