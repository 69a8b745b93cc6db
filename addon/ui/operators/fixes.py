# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons under a notice do: each puts right what one error complains of (see ``cures.py``), in one step."""

import bpy
from bpy.props import StringProperty
from mathutils import Matrix, Vector

from ...extension import EXTENSION
from ...messages.notice import Notice
from ...regions import marks
from ...regions.visibility import show
from ...request.phrases import apart, split_phrase
from ..properties import EXACT, SIZE
from .scene.regions import gone, select
from .status import Status, refuse, settle

SIZES = (75, 50, 35, 25)  # percent, the steps down when memory runs out


class FindRegion(bpy.types.Operator):
    """Select the objects of this region, and show them in the view"""

    bl_idname = "maquette.find_region"
    bl_label = "Select Region"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        things = marks.of_phrase(context.scene, self.phrase)
        if not things:
            return refuse(self, gone(self.phrase))
        select(context, [part for thing in things for part in marks.parts_of(thing)])
        return settle()


class ShowRegion(bpy.types.Operator):
    """Show the objects of this region again, in the view and in renders"""

    bl_idname = "maquette.show_region"
    bl_label = "Show Region"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        things = marks.of_phrase(context.scene, self.phrase)
        if not things:
            return refuse(self, gone(self.phrase))
        parts = [part for thing in things for part in marks.parts_of(thing)]
        still = show(context.scene, context.evaluated_depsgraph_get(), parts)
        if still:
            message = f"{things[0].name} stays hidden {still}: drivers, keyframes or another file hold it."
            held = Notice(message=message, fix="Mute them, or leave it out.", code="region-held", subject=self.phrase)
            return refuse(self, held)
        return settle()


class LeaveOut(bpy.types.Operator):
    """Close the eye of this region: the picture goes without it until you open it again"""

    bl_idname = "maquette.leave_out"
    bl_label = "Leave Out"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        things = marks.of_phrase(context.scene, self.phrase)
        for thing in things:
            marks.write(thing, marks.OFF, True)
        return settle() if things else refuse(self, gone(self.phrase))


class TellApart(bpy.types.Operator):
    """Give regions of one phrase phrases of their own, by where they stand, and say so in the prompt"""

    bl_idname = "maquette.tell_apart"
    bl_label = "Tell Apart"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        shot = context.scene
        pose = Matrix() if shot.camera is None else shot.camera.matrix_world.inverted()
        things = sorted(marks.of_phrase(shot, self.phrase), key=lambda thing: (pose @ _middle(thing)).x)
        if not things:
            return refuse(self, gone(self.phrase))
        phrases = apart(self.phrase, len(things))
        for thing, phrase in zip(things, phrases, strict=True):
            marks.write(thing, marks.PHRASE, phrase)
        shot[marks.PROMPT] = split_phrase(shot.get(marks.PROMPT, ""), self.phrase, phrases)
        return settle()


class MakeOne(bpy.types.Operator):
    """Take everything with this phrase for one region"""

    bl_idname = "maquette.make_one"
    bl_label = "Make One"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        things = marks.of_phrase(context.scene, self.phrase)
        for thing in things:
            marks.write(thing, marks.TOGETHER, True)
        return settle() if things else refuse(self, gone(self.phrase))


class PaintSmaller(bpy.types.Operator):
    """Ask for the picture again, one size smaller"""

    bl_idname = "maquette.paint_smaller"
    bl_label = "Paint Smaller"
    bl_options = {"REGISTER", "UNDO"}

    answers: StringProperty(description="The failed job that this is the answer to", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Status:
        smaller = [size for size in SIZES if size < context.scene.maquette_size]
        if not smaller:
            fix = "Close what else uses the device's memory, or choose another model."
            return refuse(self, Notice(message="The picture is as small as it gets.", fix=fix, code="smallest"))
        context.scene[SIZE] = smaller[0]
        settle()
        return set(bpy.ops.maquette.generate(answers=self.answers))


class TurnExactOff(bpy.types.Operator):
    """Capture what the view shows, at once; a render is not asked"""

    bl_idname = "maquette.turn_exact_off"
    bl_label = "Turn Exact Off"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        context.scene[EXACT] = False
        return settle()


class OpenPreferences(bpy.types.Operator):
    """Show Maquette's own settings: the server's command, address and token"""

    bl_idname = "maquette.open_preferences"
    bl_label = "Open Preferences"

    def execute(self, context: bpy.types.Context) -> Status:
        return set(bpy.ops.preferences.addon_show(module=EXTENSION))


def _middle(thing: marks.Marked) -> Vector:
    places = [part.matrix_world.translation for part in marks.parts_of(thing)]
    return sum(places, Vector()) / max(1, len(places))


CLASSES = (
    FindRegion,
    ShowRegion,
    LeaveOut,
    TellApart,
    MakeOne,
    PaintSmaller,
    TurnExactOff,
    OpenPreferences,
)
