# SPDX-License-Identifier: GPL-3.0-or-later
"""The menus of the picture's panel: which model, which style."""

import bpy

from ...request.settings import STYLE
from ...runtime.app import app
from ..context import Context, Icon
from ..properties import chosen
from .widgets import Drawable


class MAQUETTE_MT_models(Drawable, bpy.types.Menu):
    """The models that the server offers."""

    bl_label = "Model"

    def draw(self, context: Context) -> None:
        """A line each: its name, where it is from, its licence."""
        current = chosen(context.scene).name
        for info in app().session.link.models:
            source = "" if info.source == info.name else f"  ·  {info.source}"
            words = f"{info.name}{source}  ·  {info.licence}"
            row(self.layout, "maquette.choose_model", info.name, words, info.name == current)
        if not app().session.link.models:
            self.layout.label(text="The server says which; none is connected", icon="UNLINKED")


class MAQUETTE_MT_words(Drawable, bpy.types.Menu):
    """The nouns that a model with a vocabulary of its own can paint."""

    bl_label = "Words"

    def draw(self, context: Context) -> None:
        """Each writes itself into the prompt."""
        columns = self.layout.grid_flow(columns=3, even_columns=True)
        for noun in chosen(context.scene).nouns:
            columns.operator("maquette.say", text=noun).words = noun


class MAQUETTE_MT_styles(Drawable, bpy.types.Menu):
    """Words that go with many prompts."""

    bl_label = "Style"

    def draw(self, context: Context) -> None:
        """None, the styles that suit the model, what can be done about them, and the files that are none."""
        style_library, current = app().style_library, context.scene.get(STYLE, "")
        row(self.layout, "maquette.choose_style", "", "None", not current)
        self.layout.separator()
        for style in style_library.fitting(chosen(context.scene)):
            row(self.layout, "maquette.choose_style", style.name, style.name, style.name == current)
        self.layout.separator()
        self.layout.operator_context = "INVOKE_DEFAULT"
        self.layout.operator("maquette.save_style", text="Save as Style…", icon="ADD")
        self.layout.operator("maquette.delete_style", icon="TRASH")
        self.layout.operator("maquette.read_styles", icon="FILE_REFRESH")
        for fault in style_library.faults:
            self.layout.label(text=fault, icon="ERROR")


def row(layout: bpy.types.UILayout, operator: str, name: str, words: str, current: bool) -> None:
    """One line to choose, with a mark when it is chosen."""
    layout.operator(operator, text=words, icon="CHECKMARK" if current else "BLANK1").name = name


def choice(layout: bpy.types.UILayout, label: str, menu: str, words: str, icon: Icon = "NONE") -> None:
    """A menu in a row of its own, aligned as properties are."""
    split = layout.split(factor=0.4)
    side = split.row()
    side.alignment = "RIGHT"
    side.label(text=label)
    split.menu(menu, text=words, icon=icon)
