# SPDX-License-Identifier: GPL-3.0-or-later
"""Mark things as regions of the picture, and find them again."""

from collections.abc import Sequence

import bpy
from bpy.props import StringProperty

from ....messages.errors import LockedObject
from ....messages.notice import Notice, notice
from ....overlay.gpu_drawing import PARTS
from ....projection.materials import check
from ....regions import marks
from ...properties import ENFORCED
from ..status import Status, refuse, settle


class AddSelected(bpy.types.Operator):
    """Make the selected objects regions: the picture will show them where they are"""

    bl_idname = "maquette.add_selected"
    bl_label = "Add Selected"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        shapes = [thing for thing in context.selected_objects if thing.type not in {"CAMERA", "LIGHT"}]
        if not shapes:
            fix = "Select the objects of a region first."
            return refuse(self, Notice(message="Nothing is selected.", fix=fix, code="nothing-selected"))
        return _mark(self, shapes)


class AddCollection(bpy.types.Operator):
    """Make the active collection one region, with everything in it"""

    bl_idname = "maquette.add_collection"
    bl_label = "Add Collection"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        if context.collection == context.scene.collection:
            fix = "Choose a collection in the Outliner."
            return refuse(self, Notice(message="The whole scene cannot be a region.", fix=fix, code="whole-scene"))
        return _mark(self, [context.collection])


class RemoveRegion(bpy.types.Operator):
    """Make this an ordinary part of the scene again"""

    bl_idname = "maquette.remove_region"
    bl_label = "Remove Region"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        thing = _thing(context.scene, self.uid)
        if thing is None:
            return refuse(self, gone())
        marks.unmark(thing)
        return settle()


class SelectRegion(bpy.types.Operator):
    """Select this region's objects"""

    bl_idname = "maquette.select_region"
    bl_label = "Select Region"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        thing = _thing(context.scene, self.uid)
        if thing is None:
            return refuse(self, gone())
        select(context, marks.parts_of(thing))
        return {"FINISHED"}


class Enforce(bpy.types.Operator):
    """Have the picture keep this of the block, or not"""

    bl_idname = "maquette.enforce"
    bl_label = "Enforce"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})
    what: StringProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return next(f"{label}: {words}" for what, label, words, _ in ENFORCED if what == properties.what)

    def execute(self, context: bpy.types.Context) -> Status:
        thing = _thing(context.scene, self.uid)
        if thing is None:
            return refuse(self, gone())
        thing.maquette_enforce ^= {self.what}
        return {"FINISHED"}


class SwitchPart(bpy.types.Operator):
    """Show this part of the overlay, or not"""

    bl_idname = "maquette.switch_part"
    bl_label = "Switch Overlay Part"
    bl_options = {"INTERNAL"}

    part: StringProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return next(words for part, _, words, _ in PARTS if part == properties.part)

    def execute(self, context: bpy.types.Context) -> Status:
        context.window_manager.maquette_overlay_parts ^= {self.part}
        return {"FINISHED"}


def _mark(operator: bpy.types.Operator, things: Sequence[marks.Marked]) -> Status:
    """Make them regions, all or none; those that are stay as they are."""
    try:
        check(things)
    except LockedObject as error:
        return refuse(operator, notice(error))
    for thing in things:
        if marks.read(thing) is None:
            marks.mark(thing)
    return settle()


def select(context: bpy.types.Context, parts: list[bpy.types.Object]) -> None:
    """Select these of the view layer's objects, and nothing else."""
    shown = [part for part in parts if part.name in context.view_layer.objects]
    for part in context.selected_objects:
        part.select_set(False)
    for part in shown:
        part.select_set(True)
    context.view_layer.objects.active = next(iter(shown), None)


def gone(phrase: str = "") -> Notice:
    """What a button says whose region was removed, or switched off, since the button was drawn."""
    which = f"no region “{phrase}”" if phrase else "no such region"
    fix = "The list shows those that there are."
    return Notice(message=f"There is {which} in this scene any more.", fix=fix, code="region-gone")


def _thing(shot: bpy.types.Scene, uid: str) -> marks.Marked | None:
    return next((thing for thing, _ in marks.marked(shot) if str(thing.session_uid) == uid), None)


CLASSES = (AddSelected, AddCollection, RemoveRegion, SelectRegion, Enforce, SwitchPart)
