# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons under a notice do: each puts right what one error complains of (see ``cures.py``), in one step."""

from collections.abc import Iterator

import bpy
from bpy.props import StringProperty
from mathutils import Matrix, Vector

from .. import marks
from ..layout import apart, split_phrase
from ..properties import EXACT, SIZE
from ..session import Notice
from .answers import Status, refuse, settle
from .regions import select

MARGIN = 1.1  # a fitted camera leaves this much room around the regions
SIZES = (75, 50, 35, 25)  # percent, the steps down when memory runs out


class FlattenCamera(bpy.types.Operator):
    """Make the scene's camera an ordinary perspective one"""

    bl_idname = "maquette.flatten_camera"
    bl_label = "Make It Perspective"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        context.scene.camera.data.type = "PERSP"
        return settle()


class FitCamera(bpy.types.Operator):
    """Move the scene's camera, without turning it, until it sees every region"""

    bl_idname = "maquette.fit_camera"
    bl_label = "Fit Camera"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        camera, graph = context.scene.camera, context.evaluated_depsgraph_get()
        things = [
            thing for marked, found in marks.marked(context.scene) if found.on for thing in marks.parts_of(marked)
        ]
        corners = [thing.matrix_world @ Vector(corner) for thing in things for corner in thing.bound_box]
        middle = sum(corners, Vector()) / len(corners)
        roomy = [middle + (corner - middle) * MARGIN for corner in corners]
        place, scale = camera.camera_fit_coords(graph, [number for corner in roomy for number in corner])
        camera.matrix_world = Matrix.Translation(place) @ camera.matrix_world.to_3x3().to_4x4()
        if camera.data.type == "ORTHO":
            camera.data.ortho_scale = scale
        return settle()


class FindRegion(bpy.types.Operator):
    """Select the objects of this region, and show them in the view"""

    bl_idname = "maquette.find_region"
    bl_label = "Select Region"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        select(context, [part for thing in named(context.scene, self.phrase) for part in marks.parts_of(thing)])
        return settle()


class ShowRegion(bpy.types.Operator):
    """Let the objects of this region be rendered again"""

    bl_idname = "maquette.show_region"
    bl_label = "Show Region"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        parts = {part for thing in named(context.scene, self.phrase) for part in marks.parts_of(thing)}
        for part in parts:
            part.hide_render = False
            part.visible_camera = True
        for layer in _layers(context.view_layer.layer_collection):
            if parts & set(layer.collection.all_objects):
                layer.exclude = False
                layer.collection.hide_render = False
        return settle()


class LeaveOut(bpy.types.Operator):
    """Close the eye of this region: the picture goes without it until you open it again"""

    bl_idname = "maquette.leave_out"
    bl_label = "Leave Out"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        for thing in named(context.scene, self.phrase):
            marks.write(thing, marks.OFF, True)
        return settle()


class TellApart(bpy.types.Operator):
    """Give regions of one phrase phrases of their own, by where they stand, and say so in the prompt"""

    bl_idname = "maquette.tell_apart"
    bl_label = "Tell Them Apart"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        shot = context.scene
        pose = Matrix() if shot.camera is None else shot.camera.matrix_world.inverted()
        things = sorted(named(shot, self.phrase), key=lambda thing: (pose @ _middle(thing)).x)
        phrases = apart(self.phrase, len(things))
        for thing, phrase in zip(things, phrases, strict=True):
            marks.write(thing, marks.PHRASE, phrase)
        shot[marks.PROMPT] = split_phrase(shot.get(marks.PROMPT, ""), self.phrase, phrases)
        return settle()


class MakeOne(bpy.types.Operator):
    """Take everything with this phrase for one region"""

    bl_idname = "maquette.make_one"
    bl_label = "Make Them One"
    bl_options = {"REGISTER", "UNDO"}

    phrase: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        for thing in named(context.scene, self.phrase):
            marks.write(thing, marks.TOGETHER, True)
        return settle()


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
        return set(bpy.ops.preferences.addon_show(module=__package__.rpartition(".")[0]))


def named(shot: bpy.types.Scene, phrase: str) -> list[marks.Marked]:
    """The marked things of that phrase, in any case of its letters."""
    return [thing for thing, found in marks.marked(shot) if found.phrase.casefold() == phrase.casefold()]


def _middle(thing: marks.Marked) -> Vector:
    places = [part.matrix_world.translation for part in marks.parts_of(thing)]
    return sum(places, Vector()) / max(1, len(places))


def _layers(layer: bpy.types.LayerCollection) -> Iterator[bpy.types.LayerCollection]:
    yield layer
    for child in layer.children:
        yield from _layers(child)


CLASSES = (
    FlattenCamera,
    FitCamera,
    FindRegion,
    ShowRegion,
    LeaveOut,
    TellApart,
    MakeOne,
    PaintSmaller,
    TurnExactOff,
    OpenPreferences,
)
