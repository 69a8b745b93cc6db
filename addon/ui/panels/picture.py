# SPDX-License-Identifier: GPL-3.0-or-later
"""How the picture is painted: style, model, seed, strength, steps."""

import bpy

from ...request.settings import MODEL, STYLE
from ...runtime.app import app
from ..context import Context
from ..properties import chosen
from .menus import choice
from .messages import section_notice
from .widgets import Tab


class MAQUETTE_PT_picture(Tab, bpy.types.Panel):
    """How the picture is painted."""

    bl_label = "Settings"
    bl_parent_id = "MAQUETTE_PT_main"

    def draw(self, context: Context) -> None:
        """Style, model, seed, strength and steps; what is seldom needed under More."""
        self._settings(context.scene)
        self._more(context.scene)
        section_notice(self, "settings", context)

    def _settings(self, scene: bpy.types.Scene) -> None:
        column, model, style = self.layout.column(), chosen(scene), scene.get(STYLE, "")
        column.use_property_split = True
        column.use_property_decorate = False
        missing = style and app().style_library.find(style) is None
        choice(column, "Style", "MAQUETTE_MT_styles", style or "None", "ERROR" if missing else "NONE")
        choice(column, "Model", "MAQUETTE_MT_models", model.name)
        requested = scene.get(MODEL, "")
        if requested not in ("", model.name):
            column.label(text=f"“{requested}” is not offered", icon="ERROR")
        if model.nouns:
            choice(column, "It Knows", "MAQUETTE_MT_words", f"{len(model.nouns)} things")
        row = column.row(align=True)
        row.prop(scene, "maquette_seed")
        row.operator("maquette.roll_seed", text="", icon="FILE_REFRESH")
        row.prop(scene, "maquette_vary", text="", icon="MOD_TIME")
        column.prop(scene, "maquette_strength", slider=True)
        column.prop(scene, "maquette_masks", slider=True)
        column.prop(scene, "maquette_emphasis", slider=True)
        column.prop(scene, "maquette_steps")
        column.prop(scene, "maquette_exact")

    def _more(self, scene: bpy.types.Scene) -> None:
        header, body = self.layout.panel("MAQUETTE_more", default_closed=True)
        header.label(text="More")
        if body is not None:
            body.use_property_split = True
            body.use_property_decorate = False
            body.prop(scene, "maquette_negative")
            body.prop(scene, "maquette_size", slider=True)
            body.prop(scene, "maquette_noise")
            body.prop(scene, "maquette_variation", slider=True)
            body.prop(scene, "maquette_variation_seed")
