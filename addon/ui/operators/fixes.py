# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons under a notice do: each puts right what one error complains of (``messages/fixes.py``), at once."""

import bpy
from bpy.props import StringProperty
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from ...extension import EXTENSION
from ...messages import sentences
from ...regions import marks
from ...regions.visibility import show
from ...request.phrases import apart, split_phrase
from ...request.settings import EXACT, PROMPT, SIZE
from ..context import Context
from .request.generate import Generate
from .scene.regions import marked_by, select
from .status import Status, call, refuse, refusing, settle

SIZES = (200, 150, 100, 75, 50, 35, 25)  # percent, the steps down when memory runs out


class FindRegion(bpy.types.Operator):
    """Select the objects of this region, and show them in the view"""

    bl_idname = "maquette.find_region"
    bl_label = "Select Region"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        select(context, _objects(marked_by(context.scene, self.phrase)))
        return settle()


class ShowRegion(bpy.types.Operator):
    """Show the objects of this region again, in the view and in renders"""

    bl_idname = "maquette.show_region"
    bl_label = "Show Region"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        marked = marked_by(context.scene, self.phrase)
        hidden = show(context.scene, context.evaluated_depsgraph_get(), _objects(marked))
        if hidden:
            return refuse(self, sentences.region_held(marked[0].name, hidden, self.phrase))
        return settle()


class LeaveOut(bpy.types.Operator):
    """Close the eye of this region: the picture goes without it until you open it again"""

    bl_idname = "maquette.leave_out"
    bl_label = "Leave Out"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        for item in marked_by(context.scene, self.phrase):
            marks.write(item, marks.OFF, True)
        return settle()


class TellApart(bpy.types.Operator):
    """Give regions of one phrase phrases of their own, by where they stand, and say so in the prompt"""

    bl_idname = "maquette.tell_apart"
    bl_label = "Tell Apart"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        scene = context.scene
        marked = sorted(marked_by(scene, self.phrase), key=lambda item: _across(scene, _middle(item)))
        phrases = apart(self.phrase, len(marked))
        for item, phrase in zip(marked, phrases, strict=True):
            marks.write(item, marks.PHRASE, phrase)
        scene[PROMPT] = split_phrase(scene.get(PROMPT, ""), self.phrase, phrases)
        return settle()


class MakeOne(bpy.types.Operator):
    """Take everything with this phrase for one region"""

    bl_idname = "maquette.make_one"
    bl_label = "Make One"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        for item in marked_by(context.scene, self.phrase):
            marks.write(item, marks.TOGETHER, True)
        return settle()


class PaintSmaller(bpy.types.Operator):
    """Ask for the picture again, one size smaller"""

    bl_idname = "maquette.paint_smaller"
    bl_label = "Paint Smaller"
    bl_options = {"REGISTER", "UNDO"}

    answers: StringProperty(description="The failed job that this is the answer to", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        smaller = [size for size in SIZES if size < context.scene.maquette_size]
        if not smaller:
            return refuse(self, sentences.smallest())
        context.scene[SIZE] = smaller[0]
        settle()
        return call(Generate.bl_idname, answers=self.answers, changed=True)


class TurnExactOff(bpy.types.Operator):
    """Capture what the view shows, at once; a render is not asked"""

    bl_idname = "maquette.turn_exact_off"
    bl_label = "Turn Exact Off"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: Context) -> Status:
        context.scene[EXACT] = False
        return settle()


class OpenPreferences(bpy.types.Operator):
    """Show Maquette's own settings: the server's command, address and token"""

    bl_idname = "maquette.open_preferences"
    bl_label = "Open Preferences"

    def execute(self, context: Context) -> Status:
        return call("preferences.addon_show", module=EXTENSION)


def _objects(marked: list[marks.Marked]) -> list[bpy.types.Object]:
    return [part for item in marked for part in marks.parts_of(item)]


def _middle(item: marks.Marked) -> Vector:
    origins = [part.matrix_world.translation for part in marks.parts_of(item)]
    return sum(origins, Vector()) / max(1, len(origins))


def _across(scene: bpy.types.Scene, point: Vector) -> tuple[bool, float]:
    """To sort by, from left to right of the frame, what lies behind the camera last; without one along the x axis."""
    if scene.camera is None or scene.camera.type != "CAMERA":
        return False, point.x
    in_frame = world_to_camera_view(scene, scene.camera, point)
    return in_frame.z <= 0.0, in_frame.x


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
