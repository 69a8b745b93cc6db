# SPDX-License-Identifier: GPL-3.0-or-later
"""Mark objects and collections as regions of the picture, and find them again."""

from collections.abc import Sequence

import bpy
from bpy.props import StringProperty
from mathutils import Color

from ....messages import sentences
from ....messages.errors import RegionGone
from ....overlay.gpu_drawing import PARTS
from ....projection.materials import check
from ....regions import marks
from ...context import Context
from ...region_properties import ENFORCED, GREY, HOLDS
from ..status import Status, refuse, refusing, settle

WITHOUT_SHAPE = {"CAMERA", "LIGHT"}


class AddSelected(bpy.types.Operator):
    """Make the selected objects regions: the picture will show them where they are"""

    bl_idname = "maquette.add_selected"
    bl_label = "Add Selected"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: Context) -> Status:
        shapes = [selected for selected in context.selected_objects if selected.type not in WITHOUT_SHAPE]
        return _mark(shapes) if shapes else refuse(self, sentences.nothing_selected())


class AddCollection(bpy.types.Operator):
    """Make the active collection one region, with everything in it"""

    bl_idname = "maquette.add_collection"
    bl_label = "Add Collection"
    bl_options = {"REGISTER", "UNDO"}

    @refusing
    def execute(self, context: Context) -> Status:
        if context.collection == context.scene.collection:
            return refuse(self, sentences.whole_scene())
        return _mark([context.collection])


class RemoveRegion(bpy.types.Operator):
    """Make this an ordinary part of the scene again"""

    bl_idname = "maquette.remove_region"
    bl_label = "Remove Region"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        marks.unmark(region_of(context, self.uid))
        return settle()


class SelectRegion(bpy.types.Operator):
    """Select this region's objects; what is set of it is then below the list"""

    bl_idname = "maquette.select_region"
    bl_label = "Select Region"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})
    words: StringProperty(description="What its button says of it", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def description(cls, context: Context, properties: bpy.types.OperatorProperties) -> str:
        return f"{properties.words}\n\n{cls.__doc__}" if properties.words else str(cls.__doc__)

    @refusing
    def execute(self, context: Context) -> Status:
        select(context, marks.parts_of(region_of(context, self.uid)))
        return {"FINISHED"}


class Enforce(bpy.types.Operator):
    """Have the picture keep this of the block, or not; or just what Loose or Silhouette keeps"""

    bl_idname = "maquette.enforce"
    bl_label = "Enforce"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})
    what: StringProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: Context, properties: bpy.types.OperatorProperties) -> str:
        holds = ((key, label, words) for key, label, _, words in HOLDS)
        parts = ((key, label, words) for key, label, words, _ in ENFORCED)
        return next(f"{label}: {words}" for key, label, words in (*holds, *parts) if key == properties.what)

    @refusing
    def execute(self, context: Context) -> Status:
        region = region_of(context, self.uid)
        hold = next((names for key, _, names, _ in HOLDS if key == self.what), None)
        region.maquette_enforce = set(hold) if hold is not None else region.maquette_enforce ^ {self.what}
        return {"FINISHED"}


class ColourRegion(bpy.types.Operator):
    """Ask for a colour here, at first the object's own in the view; or leave that to the picture again"""

    bl_idname = "maquette.colour_region"
    bl_label = "Colour"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        region = region_of(context, self.uid)
        colour = None if region.get(marks.COLOUR) is not None else viewport_colour(marks.parts_of(region))
        marks.write(region, marks.COLOUR, colour)
        return {"FINISHED"}


class SwitchPart(bpy.types.Operator):
    """Show this part of the overlay, or not"""

    bl_idname = "maquette.switch_part"
    bl_label = "Switch Overlay Part"
    bl_options = {"INTERNAL"}

    part: StringProperty(options={"HIDDEN"})

    @classmethod
    def description(cls, context: Context, properties: bpy.types.OperatorProperties) -> str:
        return next(words for part, _, words, _ in PARTS if part == properties.part)

    def execute(self, context: Context) -> Status:
        context.window_manager.maquette_overlay_parts ^= {self.part}
        return {"FINISHED"}


def _mark(items: Sequence[marks.Marked]) -> Status:
    """Make them regions, all or none; those that are stay as they are. Raises LockedObject."""
    check(items)
    for item in items:
        if marks.read(item) is None:
            marks.mark(item)
    return settle()


def select(context: Context, objects: Sequence[bpy.types.Object]) -> None:
    """Select these of the view layer's objects, and nothing else."""
    shown = set(context.view_layer.objects)
    present = [item for item in objects if item in shown]
    for selected in context.selected_objects:
        selected.select_set(False)
    for item in present:
        item.select_set(True)
    context.view_layer.objects.active = next(iter(present), None)


def viewport_colour(objects: Sequence[bpy.types.Object]) -> tuple[float, float, float]:
    """What the Solid view shows the first material of the objects in, as sRGB; grey without one."""
    material = material_of(objects)
    if material is None:
        return GREY
    colour = Color(material.diffuse_color[:3]).from_scene_linear_to_srgb()
    return colour.r, colour.g, colour.b


def material_of(objects: Sequence[bpy.types.Object]) -> bpy.types.Material | None:
    """The first material of the objects."""
    slots = (slot for item in objects for slot in item.material_slots)
    return next((slot.material for slot in slots if slot.material is not None), None)


def marked_by(scene: bpy.types.Scene, phrase: str) -> list[marks.Marked]:
    """The objects and collections that are a region of that phrase, one at least. Raises RegionGone."""
    marked = marks.of_phrase(scene, phrase)
    if not marked:
        raise RegionGone(phrase)
    return marked


def region_of(context: Context, uid: str) -> marks.Marked:
    """The marked object or collection of that session id. Raises RegionGone."""
    region = next((item for item, _ in marks.marked(context.scene) if str(item.session_uid) == uid), None)
    if region is None:
        raise RegionGone()
    return region


CLASSES = (AddSelected, AddCollection, RemoveRegion, SelectRegion, Enforce, ColourRegion, SwitchPart)
