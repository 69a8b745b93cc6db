# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the model and the style; keep a style of one's own."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from ....capture.scene_settings import read, write
from ....messages import sentences
from ....messages.notice import Notice
from ....pictures import history
from ....pictures.image import ENTRY, PICTURE
from ....pictures.pixels import encoded, shrunk
from ....request import styles
from ....request.settings import MODEL, STYLE, part
from ....request.styles import Style
from ....runtime.app import app
from ....session.state import offered_model
from ...context import Context
from ...properties import chosen
from ..status import Status, refuse, settle

THUMBNAIL = 128  # pixels of its longer side


class ChooseModel(bpy.types.Operator):
    """Paint with this model"""

    bl_idname = "maquette.choose_model"
    bl_label = "Choose Model"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: Context, properties: bpy.types.OperatorProperties) -> str:
        info = offered_model(app().session, properties.name)
        return f"{info.family}, from {info.source}, revision {info.revision}. Licence: {info.licence}"

    def execute(self, context: Context) -> Status:
        context.scene[MODEL] = self.name
        return settle()


class ChooseStyle(bpy.types.Operator):
    """Choose the words that follow the prompt"""

    bl_idname = "maquette.choose_style"
    bl_label = "No Style"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: Context, properties: bpy.types.OperatorProperties) -> str:
        style = app().style_library.find(properties.name)
        return styles.summary(style) if style else "Send the prompt as it is written"

    def execute(self, context: Context) -> Status:
        style = app().style_library.find(self.name)
        write(context.scene, {"style": self.name} if style is None else styles.changes(style))
        return settle()


class SaveStyle(bpy.types.Operator):
    """Keep these words, and if you like the steps and strength as they stand, under a name for every file"""

    bl_idname = "maquette.save_style"
    bl_label = "Save Style"

    name: StringProperty(name="Name", maxlen=60)
    text: StringProperty(name="Words", description="What follows the prompt", maxlen=1000)
    negative: StringProperty(name="Avoid", description="What the picture keeps away from", maxlen=1000)
    keeps: BoolProperty(name="Steps and Strength", description="Choosing the style sets these, too", default=False)
    pictured: BoolProperty(name="Thumbnail", description="The scene's latest picture stands for it", default=True)

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        self.name = context.scene.get(STYLE, "")
        style = app().style_library.find(self.name) or Style(name="new", text=", ")
        self.text, self.negative, self.keeps = style.text, style.negative, style.steps is not None
        return set(context.window_manager.invoke_props_dialog(self, width=420))

    def execute(self, context: Context) -> Status:
        if not self.name.strip() or not self.text.strip(" ,"):
            return refuse(self, sentences.style_bare())
        scene, info = context.scene, chosen(context.scene)
        style = Style(
            name=self.name.strip(),
            text=self.text.strip(),
            negative=self.negative.strip(),
            model=info.name if info.nouns else "",
            **(part(read(scene), styles.SETS) if self.keeps else {}),
        )
        try:
            styles.save(app().style_folder, style)
            if self.pictured and (picture := _latest(scene)) is not None:
                thumbnail = encoded(shrunk(picture, THUMBNAIL))
                styles.save_thumbnail(app().style_folder, style.name, thumbnail)
        except OSError as error:
            return refuse(self, sentences.style_unkept(str(error)))
        app().read_styles()
        scene[STYLE] = style.name
        return settle()


class DeleteStyle(bpy.types.Operator):
    """Delete the file of the chosen style; what came with Maquette stays, and what you wrote into a file"""

    bl_idname = "maquette.delete_style"
    bl_label = "Delete Style"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(context.scene.get(STYLE, ""))

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        return set(context.window_manager.invoke_confirm(self, event))

    def execute(self, context: Context) -> Status:
        name = context.scene[STYLE]
        file = styles.own(app().style_folder, name)
        if file is None:
            return refuse(self, _undeletable(name))
        styles.delete(file)
        app().read_styles()
        if app().style_library.find(name) is None:
            context.scene[STYLE] = ""
        return settle()


class ReadStyles(bpy.types.Operator):
    """Look again at the folder of your own styles, after writing a file there"""

    bl_idname = "maquette.read_styles"
    bl_label = "Reload Styles"

    def execute(self, context: Context) -> Status:
        app().read_styles()
        for fault in app().style_library.faults:
            self.report({"WARNING"}, fault)
        return {"FINISHED"}


def _undeletable(name: str) -> Notice:
    """Why the style of that name, which ``save`` never wrote, stays."""
    file = app().style_library.file(name)
    if file is None or file == styles.SHIPPED:
        return sentences.style_shipped(name)
    return sentences.style_by_hand(name, str(file))


def _latest(scene: bpy.types.Scene) -> Path | None:
    """The file of the scene's latest picture, where the history has it."""
    image = scene.get(PICTURE)
    entry = image.get(ENTRY) if image is not None else None
    return history.picture(app().gallery.folder, entry) if entry is not None else None


CLASSES = (ChooseModel, ChooseStyle, SaveStyle, DeleteStyle, ReadStyles)
