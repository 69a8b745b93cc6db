# SPDX-License-Identifier: GPL-3.0-or-later
"""How the picture is painted: style, model and what is on top of it, seed, strength, steps."""

import bpy

from ...messages.model_words import memory_words
from ...request.settings import MODEL, STYLE
from ...request.styles import summary
from ...runtime.app import app
from ...session.state import model_file
from ..context import Context
from ..properties import chosen
from .adapters import advanced, control_row, lora_rows
from .menus import choice, row_side
from .messages import section_notice
from .widgets import Tab, paragraph


class MAQUETTE_PT_picture(Tab, bpy.types.Panel):
    """How the picture is painted."""

    bl_label = "Settings"
    bl_parent_id = "MAQUETTE_PT_main"

    def draw(self, context: Context) -> None:
        """Style, model, seed, strength and steps; what is seldom needed under More."""
        self._settings(context)
        advanced(self.layout, context)
        self._more(context.scene)
        section_notice(self, "settings", context)

    def _settings(self, context: Context) -> None:
        scene = context.scene
        column, model = self.layout.column(), chosen(scene)
        column.use_property_split = True
        column.use_property_decorate = False
        self._style(column, context)
        choice(column, "Model", "MAQUETTE_MT_models", model.name)
        requested = scene.get(MODEL, "")
        if requested not in ("", model.name):
            column.label(text=f"“{requested}” is not offered", icon="ERROR")
        self._memory(column, model.name)
        lora_rows(column, context)
        control_row(column, context)
        if model.nouns:
            more = ", and more" if model.vocabulary else ""
            choice(column, "It Knows", "MAQUETTE_MT_words", f"{len(model.nouns)} things{more}")
        row = column.row(align=True)
        row.prop(scene, "maquette_seed")
        row.operator("maquette.roll_seed", text="", icon="FILE_REFRESH")
        row.prop(scene, "maquette_vary", text="", icon="MOD_TIME")
        column.prop(scene, "maquette_strength", slider=True)
        column.prop(scene, "maquette_masks", slider=True)
        column.prop(scene, "maquette_emphasis", slider=True)
        column.prop(scene, "maquette_blocking", slider=True)
        column.prop(scene, "maquette_steps")
        column.prop(scene, "maquette_refinement", slider=True)
        column.prop(scene, "maquette_exact")

    def _memory(self, column: bpy.types.UILayout, model: str) -> None:
        """What a picture takes of the memory, where that was counted."""
        file, library = model_file(app().session, model), app().session.library
        if file is not None and (words := memory_words(file, library)):
            row = row_side(column, "")
            row.alert = file.fits == "too large"
            row.label(text=words)

    def _style(self, column: bpy.types.UILayout, context: Context) -> None:
        """Which style, with its thumbnail, and below it what it adds."""
        name = context.scene.get(STYLE, "")
        style, side = app().style_library.find(name), row_side(column, "Style")
        if name and style is None:
            side.popover("MAQUETTE_PT_styles", text=name, icon="ERROR")
        else:
            side.popover("MAQUETTE_PT_styles", text=name or "None", icon_value=app().style_icon(name))
        if style is not None:
            words = column.column(align=True)
            words.active = False
            paragraph(words, summary(style), context)

    def _more(self, scene: bpy.types.Scene) -> None:
        header, body = self.layout.panel("MAQUETTE_more", default_closed=True)
        header.label(text="More")
        if body is not None:
            body.use_property_split = True
            body.use_property_decorate = False
            body.prop(scene, "maquette_negative")
            body.prop(scene, "maquette_size", slider=True)
            row = body.row()
            row.active = scene.get("maquette_size", 100) > 100
            row.prop(scene, "maquette_denoising", slider=True)
            body.prop(scene, "maquette_noise")
            body.prop(scene, "maquette_variation", slider=True)
            body.prop(scene, "maquette_variation_seed")
