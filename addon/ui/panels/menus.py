# SPDX-License-Identifier: GPL-3.0-or-later
"""The menus of the picture's panel: which model, which style."""

import bpy

from ...request.settings import STYLE
from ...request.wording import is_adverbial
from ...runtime.app import app
from ...session.state import model_file
from ..context import Context, Icon
from ..properties import chosen
from .widgets import Drawable

OURS = "sg_core/"  # where the models lie that come with Maquette


class MAQUETTE_MT_models(Drawable, bpy.types.Menu):
    """The models that the server offers."""

    bl_label = "Model"

    def draw(self, context: Context) -> None:
        """A line each: its name, where it is from, its licence, and which is loaded."""
        current, health = chosen(context.scene).name, app().session.link.health
        for info in app().session.link.models:
            source = "comes with Maquette" if info.source.startswith(OURS) else info.source
            source = "" if info.source == info.name else f"  ·  {source}"
            loaded = "  ·  in memory" if health is not None and health.model == info.name else ""
            file = model_file(app().session, info.name)
            size = "  ·  does not fit" if file is not None and file.fits == "too large" else ""
            words = f"{info.name}{source}  ·  {info.licence}{loaded}{size}"
            row(self.layout, "maquette.choose_model", info.name, words, info.name == current)
        if not app().session.link.models:
            self.layout.label(text="The server says which; none is connected", icon="UNLINKED")
        self.layout.separator()
        self.layout.operator("maquette.open_preferences", text="Folders of Models…", icon="FILE_FOLDER")


class MAQUETTE_MT_words(Drawable, bpy.types.Menu):
    """The words that a model with a vocabulary of its own was taught."""

    bl_label = "Words"

    def draw(self, context: Context) -> None:
        """A column for each kind; each thing, place and time writes itself into the prompt."""
        model, kinds = chosen(context.scene), self.layout.row()
        things = kinds.column()
        things.label(text="Things")
        columns = things.grid_flow(columns=2, even_columns=True)
        for noun in model.nouns:
            columns.operator("maquette.say", text=noun).words = noun
        for group in model.vocabulary:
            column = kinds.column()
            column.label(text=group.name.capitalize())
            for words in group.words:
                if is_adverbial(words):
                    column.operator("maquette.say", text=words).words = words
                else:  # of a thing, and so nothing by itself
                    column.label(text=words)


class MAQUETTE_PT_styles(Drawable, bpy.types.Panel):
    """Words that go with many prompts, each with a picture of what they do."""

    bl_label = "Style"
    bl_space_type = "VIEW_3D"
    bl_region_type = "HEADER"  # shown as a popover only
    bl_options = {"INSTANCED"}
    bl_ui_units_x = 14

    def draw(self, context: Context) -> None:
        """None, the styles that suit the model, what can be done about them, and the files that are none."""
        style_library, current = app().style_library, context.scene.get(STYLE, "")
        row(self.layout, "maquette.choose_style", "", "None", not current)
        grid = self.layout.grid_flow(row_major=True, columns=3, even_columns=True, even_rows=True, align=True)
        for style in style_library.fitting(chosen(context.scene)):
            tile = grid.column(align=True)
            tile.template_icon(icon_value=app().style_icon(style.name), scale=4.0)
            choice = tile.operator("maquette.choose_style", text=style.name, depress=style.name == current)
            choice.name = style.name
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
    row_side(layout, label).menu(menu, text=words, icon=icon)


def row_side(layout: bpy.types.UILayout, label: str) -> bpy.types.UILayout:
    """The right side of a row of its own, with a label on its left, aligned as properties are."""
    split = layout.split(factor=0.4)
    side = split.row()
    side.alignment = "RIGHT"
    side.label(text=label)
    return split
