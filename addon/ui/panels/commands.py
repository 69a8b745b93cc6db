# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command in one menu: in the headers of 3D View and Image Editor, and so found by F3. And the shortcut."""

from typing import Literal

import bpy

from ...runtime.app import app
from ..context import Context
from .widgets import Drawable

KEYMAPS: tuple[tuple[str, Literal["VIEW_3D", "IMAGE_EDITOR"]], ...] = (  # as Blender calls the editors' own
    ("3D View", "VIEW_3D"),
    ("Image", "IMAGE_EDITOR"),
)

ON_SHEET: tuple[tuple[Literal["RET", "S", "V", "C", "ESC"], str], ...] = (  # these keys are ours while a sheet is open
    ("RET", "maquette.take_cell"),
    ("S", "maquette.star_cell"),
    ("V", "maquette.vary_cell"),
    ("C", "maquette.compare_cells"),
    ("ESC", "maquette.leave_sheet"),
)

COMMANDS = (  # a line between the groups
    (
        "generate",
        "all_cameras",
        "frame_range",
        "cancel_all",
        "live",
        "keep_live",
        "edit_prompt",
        "roll_seed",
        "follow_picture",
    ),
    ("add_selected", "add_collection", "add_camera", "fit_camera", "extend_clip"),
    (
        "show",
        "contact_sheet",
        "compare",
        "inspect",
        "background",
        "project",
        "light_projections",
        "paint_views",
        "bake",
        "show_colours",
        "remove_background",
        "remove_results",
    ),
    ("start_server", "stop_server", "connect", "open_log", "open_preferences"),
    ("install_server", "repair_installation", "remove_installation", "open_installation_log"),
    ("save_style", "delete_style", "read_styles"),
)


class MAQUETTE_MT_commands(Drawable, bpy.types.Menu):
    """What Maquette does"""

    bl_label = "Maquette"

    def draw(self, context: Context) -> None:
        """Each command, and its shortcut where it has one."""
        self.layout.operator_context = "INVOKE_REGION_WIN"
        for number, group in enumerate(COMMANDS):
            if number:
                self.layout.separator()
            for name in group:
                if name == "cancel_all":
                    self.layout.operator("maquette.cancel", text="Cancel All Pictures").scope = "ALL"
                else:
                    self.layout.operator(f"maquette.{name}")


def offer() -> None:
    """Put the menu and the button into the headers, and the shortcut into the keymaps, where the artist may change
    it."""
    bpy.types.VIEW3D_MT_editor_menus.append(_menu)
    bpy.types.IMAGE_MT_editor_menus.append(_menu)
    bpy.types.VIEW3D_HT_header.append(_button)
    bpy.types.IMAGE_HT_header.append(_button)
    keymaps = _keymaps()
    for name, space in KEYMAPS if keymaps is not None else ():
        keymap = keymaps.new(name=name, space_type=space)
        app().shortcuts.append((keymap, keymap.keymap_items.new("maquette.generate", "RET", "PRESS", ctrl=True)))
        for key, operator in ON_SHEET if space == "IMAGE_EDITOR" else ():
            app().shortcuts.append((keymap, keymap.keymap_items.new(operator, key, "PRESS")))


def withdraw() -> None:
    """Take all three away."""
    for keymap, item in app().shortcuts:
        keymap.keymap_items.remove(item)
    app().shortcuts.clear()
    bpy.types.IMAGE_HT_header.remove(_button)
    bpy.types.VIEW3D_HT_header.remove(_button)
    bpy.types.IMAGE_MT_editor_menus.remove(_menu)
    bpy.types.VIEW3D_MT_editor_menus.remove(_menu)


def _keymaps() -> "bpy.types.KeyMaps | None":
    """The add-ons' own; None in the background, where there are no keys."""
    configuration = bpy.context.window_manager.keyconfigs.addon
    return configuration.keymaps if configuration is not None else None


def _menu(self: bpy.types.Menu, context: Context) -> None:
    self.layout.menu(MAQUETTE_MT_commands.__name__)


def _button(self: bpy.types.Header, context: Context) -> None:
    self.layout.operator("maquette.generate", text="", icon="RENDER_STILL")
