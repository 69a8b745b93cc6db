# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the model and the style; keep a style of one's own."""

import bpy
from bpy.props import BoolProperty, StringProperty

from ....messages.notice import Notice
from ....request import styles
from ....request.styles import Style
from ....runtime.app import app
from ....session.state import offered_model
from ...properties import MODEL, STEPS, STRENGTH, STYLE, chosen
from ..status import Status, refuse, settle


class ChooseModel(bpy.types.Operator):
    """Paint with this model"""

    bl_idname = "maquette.choose_model"
    bl_label = "Choose Model"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        info = offered_model(app().session, properties.name)
        return f"{info.family}, from {info.source}, revision {info.revision}. Licence: {info.licence}"

    def execute(self, context: bpy.types.Context) -> Status:
        context.scene[MODEL] = self.name
        return settle()


class ChooseStyle(bpy.types.Operator):
    """Choose the words that follow the prompt"""

    bl_idname = "maquette.choose_style"
    bl_label = "No Style"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        found = app().style_library.find(properties.name)
        return styles.summary(found) if found else "Send the prompt as it is written"

    def execute(self, context: bpy.types.Context) -> Status:
        shot, found = context.scene, app().style_library.find(self.name)
        shot[STYLE] = self.name
        if found is not None and found.steps is not None:
            shot[STEPS] = found.steps
        if found is not None and found.strength is not None:
            shot[STRENGTH] = found.strength
        return settle()


class SaveStyle(bpy.types.Operator):
    """Keep these words, and if you like the steps and strength as they stand, under a name for every file"""

    bl_idname = "maquette.save_style"
    bl_label = "Save Style"

    name: StringProperty(name="Name", maxlen=60)
    text: StringProperty(name="Words", description="What follows the prompt", maxlen=1000)
    negative: StringProperty(name="Avoid", description="What the picture keeps away from", maxlen=1000)
    keeps: BoolProperty(name="Steps and Strength", description="Choosing the style sets these, too", default=False)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        self.name = context.scene.get(STYLE, "")
        worn = app().style_library.find(self.name) or Style(name="new", text=", ")
        self.text, self.negative, self.keeps = worn.text, worn.negative, worn.steps is not None
        return context.window_manager.invoke_props_dialog(self, width=420)

    def execute(self, context: bpy.types.Context) -> Status:
        if not self.name.strip() or not self.text.strip(" ,"):
            fix = "Save it again with both."
            return refuse(self, Notice(message="A style needs a name and words.", fix=fix, code="style-bare"))
        shot, info = context.scene, chosen(context.scene)
        style = Style(
            name=self.name.strip(),
            text=self.text.strip(),
            negative=self.negative.strip(),
            steps=shot.maquette_steps if self.keeps else None,
            strength=shot.maquette_strength if self.keeps else None,
            model=info.name if info.nouns else "",
        )
        try:
            styles.save(app().style_folder, style)
        except OSError as error:
            return refuse(self, Notice(message=f"The style could not be kept: {error}.", code="style-unkept"))
        app().read_styles()
        shot[STYLE] = style.name
        return settle()


class DeleteStyle(bpy.types.Operator):
    """Delete the file of the chosen style; what came with Maquette stays"""

    bl_idname = "maquette.delete_style"
    bl_label = "Delete Style"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(context.scene.get(STYLE, ""))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Status:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> Status:
        name = context.scene[STYLE]
        file = styles.own(app().style_folder, name)
        if file is None:
            fix = "Save a style of that name instead."
            return refuse(self, Notice(message=f"“{name}” came with Maquette.", fix=fix, code="style-shipped"))
        file.unlink()
        app().read_styles()
        if app().style_library.find(name) is None:
            context.scene[STYLE] = ""
        return settle()


class ReadStyles(bpy.types.Operator):
    """Look again at the folder of your own styles, after writing a file there"""

    bl_idname = "maquette.read_styles"
    bl_label = "Reload Styles"

    def execute(self, context: bpy.types.Context) -> Status:
        app().read_styles()
        for fault in app().style_library.faults:
            self.report({"WARNING"}, fault)
        return {"FINISHED"}


CLASSES = (ChooseModel, ChooseStyle, SaveStyle, DeleteStyle, ReadStyles)
