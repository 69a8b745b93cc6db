# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons do. Each operator is one step an artist can undo; refusals end as a sentence next to the button."""

import random

import bpy
from bpy.props import EnumProperty, StringProperty

from . import marks, scene
from .contract import SEED_MAX
from .layout import CaptureError, NoCamera, NothingMarked, PhraseMissing
from .preferences import preferences
from .properties import SEED, chosen
from .pump import desk, receive
from .session import Notice, Viewpoint, connecting, noticed

CURES = {
    NoCamera: "maquette.add_camera",
    NothingMarked: "maquette.add_selected",
    PhraseMissing: "maquette.insert_phrase",
}
Status = set[str]


def refuse(operator: bpy.types.Operator, notice: Notice) -> Status:
    """End an operator without doing anything, and say why where the artist looks."""
    courier = desk().courier
    courier.move(noticed, notice)
    operator.report({"WARNING"}, f"{notice.message} {notice.fix}")
    return {"CANCELLED"}


class AddSelected(bpy.types.Operator):
    """Make the selected objects regions: the picture will show them where they are"""

    bl_idname = "maquette.add_selected"
    bl_label = "Add Selected"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        shapes = [thing for thing in context.selected_objects if thing.type not in {"CAMERA", "LIGHT"}]
        if not shapes:
            return refuse(self, Notice(message="Nothing is selected.", fix="Select the objects of a region first."))
        for thing in shapes:
            if marks.read(thing) is None:
                marks.mark(thing)
        return _tidy()


class AddCollection(bpy.types.Operator):
    """Make the active collection one region, with everything in it"""

    bl_idname = "maquette.add_collection"
    bl_label = "Add Collection"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        if context.collection == context.scene.collection:
            return refuse(
                self, Notice(message="The whole scene cannot be a region.", fix="Choose a collection in the Outliner.")
            )
        marks.mark(context.collection)
        return _tidy()


class RemoveRegion(bpy.types.Operator):
    """Make this an ordinary part of the scene again"""

    bl_idname = "maquette.remove_region"
    bl_label = "Remove Region"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        marks.unmark(_thing(context.scene, self.uid))
        return {"FINISHED"}


class SelectRegion(bpy.types.Operator):
    """Select this region's objects"""

    bl_idname = "maquette.select_region"
    bl_label = "Select Region"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        thing = _thing(context.scene, self.uid)
        parts = thing.all_objects if isinstance(thing, bpy.types.Collection) else [thing]
        shown = [part for part in parts if part.name in context.view_layer.objects]
        for part in context.selected_objects:
            part.select_set(False)
        for part in shown:
            part.select_set(True)
        context.view_layer.objects.active = next(iter(shown), None)
        return {"FINISHED"}


class InsertPhrase(bpy.types.Operator):
    """Write the missing words into the prompt"""

    bl_idname = "maquette.insert_phrase"
    bl_label = "Insert into Prompt"
    bl_options = {"REGISTER", "UNDO"}

    subject: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        prompt = context.scene.get(marks.PROMPT, "").strip()
        context.scene[marks.PROMPT] = f"{prompt} and a {self.subject}" if prompt else f"a {self.subject}"
        return _tidy()


class AddCamera(bpy.types.Operator):
    """Add a camera that sees what this view shows, and make it the scene's"""

    bl_idname = "maquette.add_camera"
    bl_label = "Camera from View"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.region_data is not None

    def execute(self, context: bpy.types.Context) -> Status:
        camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
        camera.matrix_world = context.region_data.view_matrix.inverted()
        context.scene.collection.objects.link(camera)
        context.scene.camera = camera
        return _tidy()


class RollSeed(bpy.types.Operator):
    """Another picture that fits: draw a new seed"""

    bl_idname = "maquette.roll_seed"
    bl_label = "New Seed"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Status:
        context.scene[SEED] = random.randint(0, SEED_MAX)
        return {"FINISHED"}


class Generate(bpy.types.Operator):
    """Ask the server for a picture that obeys the blocks; keep working while it paints"""

    bl_idname = "maquette.generate"
    bl_label = "Generate"

    def execute(self, context: bpy.types.Context) -> Status:
        shot, courier = context.scene, desk().courier
        depsgraph = context.evaluated_depsgraph_get()
        try:
            blockout = scene.capture(
                shot,
                depsgraph=depsgraph,
                model=chosen(shot),
                seed=shot.maquette_seed,
                steps=shot.maquette_steps,
                strength=shot.maquette_strength,
            )
        except CaptureError as error:
            return refuse(self, in_words(error))
        view = viewpoint(shot, shot.camera, depsgraph)
        if not bpy.app.background:
            desk().pump.start(courier.submit(blockout, view))
            return {"FINISHED"}
        desk().pump.wait(courier.deliver(blockout, view))
        receive()
        return {"CANCELLED"} if courier.session.notice else {"FINISHED"}


class Cancel(bpy.types.Operator):
    """Stop within one step"""

    bl_idname = "maquette.cancel"
    bl_label = "Cancel"

    scope: EnumProperty(
        items=[
            ("THIS", "This", "The picture being painted"),
            ("WAITING", "Waiting", "The pictures not yet begun"),
            ("ALL", "All", "Every picture asked for here"),
        ],
        default="THIS",
    )

    def execute(self, context: bpy.types.Context) -> Status:
        session, pump = desk().session, desk().pump
        active = session.active
        for task in session.waiting:
            if self.scope == "ALL" or (task == active) == (self.scope == "THIS"):
                pump.start(desk().courier.cancel(task.job.id))
        return {"FINISHED"}


class StartServer(bpy.types.Operator):
    """Run the server on this machine until Blender quits"""

    bl_idname = "maquette.start_server"
    bl_label = "Start Server"

    def execute(self, context: bpy.types.Context) -> Status:
        command = preferences().command
        try:
            desk().start_server(command)
        except (OSError, ValueError) as error:
            fix = "Set the server command in Preferences › Add-ons › Maquette."
            return refuse(self, Notice(message=f"“{command}” cannot be run: {error}", fix=fix))
        return {"FINISHED"}


class StopServer(bpy.types.Operator):
    """Stop the server that was started here"""

    bl_idname = "maquette.stop_server"
    bl_label = "Stop Server"

    def execute(self, context: bpy.types.Context) -> Status:
        desk().stop_server()
        return {"FINISHED"}


class Connect(bpy.types.Operator):
    """Look for the server again, now"""

    bl_idname = "maquette.connect"
    bl_label = "Connect"

    def execute(self, context: bpy.types.Context) -> Status:
        courier = desk().courier
        courier.move(connecting)
        courier.nudge()
        return {"FINISHED"}


class Dismiss(bpy.types.Operator):
    """Take this message away"""

    bl_idname = "maquette.dismiss"
    bl_label = "Dismiss"

    def execute(self, context: bpy.types.Context) -> Status:
        return _tidy()


def viewpoint(shot: bpy.types.Scene, camera: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> Viewpoint:
    """Where the scene is seen from, to tell later whether the camera has moved since."""
    seen = scene.view(shot, camera, depsgraph)
    numbers = (*seen.pose.ravel(), *seen.lens.projection.ravel())
    return Viewpoint(scene=shot.session_uid, camera=camera.session_uid, pose=tuple(float(n) for n in numbers))


def in_words(error: CaptureError) -> Notice:
    """What is wrong with the scene, and the operator that cures it where there is one."""
    return Notice(message=error.message, fix=error.fix, cure=CURES.get(type(error), ""), subject=error.subject)


def _tidy() -> Status:
    """What the artist just did answers the notice that stands there."""
    courier = desk().courier
    courier.move(noticed, None)
    return {"FINISHED"}


def _thing(shot: bpy.types.Scene, uid: str) -> marks.Marked:
    return next(thing for thing, _ in marks.marked(shot) if str(thing.session_uid) == uid)


CLASSES = (
    AddSelected,
    AddCollection,
    RemoveRegion,
    SelectRegion,
    InsertPhrase,
    AddCamera,
    RollSeed,
    Generate,
    Cancel,
    StartServer,
    StopServer,
    Connect,
    Dismiss,
)
register, unregister = bpy.utils.register_classes_factory(CLASSES)
