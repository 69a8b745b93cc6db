# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask for a picture, and stop it; set what it needs."""

import random

import bpy
from bpy.props import EnumProperty, StringProperty

from .. import marks, scene
from ..contract import SEED_MAX, Blockout, ModelInfo
from ..courier import notice
from ..exposure import Exposure, expose
from ..faults import CaptureError
from ..history import Wish
from ..layout import scaled
from ..notices import Notice
from ..phrases import inserted, strange
from ..properties import SEED, chosen, style
from ..pump import desk, receive
from ..session import dismissed, noticed
from ..slices import Slices, finish
from ..snapshot import Snapshot, develop
from ..standpoint import seen_from
from ..styles import avoided, styled
from ..tasks import Home, Viewpoint
from ..viewing import frame_view
from .answers import Status, refuse, settle
from .exposing import exposure
from .regions import gone

TOLD = 5  # words that are named


class InsertPhrase(bpy.types.Operator):
    """Write the missing words into the prompt"""

    bl_idname = "maquette.insert_phrase"
    bl_label = "Insert into Prompt"
    bl_options = {"REGISTER", "UNDO"}

    subject: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        phrases = self.subject.splitlines()
        lost = next((phrase for phrase in phrases if not marks.of_phrase(context.scene, phrase)), None)
        if lost is not None:
            return refuse(self, gone(lost))
        for phrase in phrases:
            prompt = context.scene.get(marks.PROMPT, "").strip()
            context.scene[marks.PROMPT] = inserted(prompt, phrase)
        return settle()


class Say(bpy.types.Operator):
    """Write this into the prompt"""

    bl_idname = "maquette.say"
    bl_label = "Say"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    words: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        context.scene[marks.PROMPT] = inserted(context.scene.get(marks.PROMPT, "").strip(), self.words)
        return {"FINISHED"}


class AddCamera(bpy.types.Operator):
    """Add a camera that sees what this view shows, and make it the scene's"""

    bl_idname = "maquette.add_camera"
    bl_label = "Camera from View"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        # the sidebar, where the button is, has no region_data; its view does
        return context.area is not None and context.area.type == "VIEW_3D"

    def execute(self, context: bpy.types.Context) -> Status:
        eye = bpy.data.cameras.new("Camera")
        camera = bpy.data.objects.new("Camera", eye)
        camera.matrix_world = frame_view(eye, context.scene, context.space_data, context.space_data.region_3d)
        context.scene.collection.objects.link(camera)
        context.scene.camera = camera
        return settle()


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

    answers: StringProperty(description="The failed job that this is the answer to", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Status:
        shot, courier = context.scene, desk().courier
        courier.move(dismissed, self.answers.split())
        if shot.maquette_vary:
            shot[SEED] = random.randint(0, SEED_MAX)
        depsgraph = context.evaluated_depsgraph_get()
        try:
            marks.check_apart(shot)
            asked = wanted(shot, depsgraph)
            courier.move(noticed, unlearned(asked.model, asked.prompt))
            taken = develop(asked)
            view = viewpoint(shot, shot.camera, depsgraph)
            kept = (view, wish(shot), shot.maquette_count)
            if shot.maquette_exact:
                return self._expose(exposure(context), taken, kept)
            if not bpy.app.background:
                desk().pump.start(courier.send(taken, *kept))
                return {"FINISHED"}
            blockout = finish(taken)
        except CaptureError as error:
            return refuse(self, notice(error))
        desk().pump.wait(courier.deliver(blockout, *kept))
        return self._end()

    def _expose(self, exposed: Exposure, live: Slices[Blockout], kept: tuple[Viewpoint, Wish, int]) -> Status:
        """Send what a render shows instead."""
        send = desk().courier.deliver if bpy.app.background else desk().courier.submit
        errand = expose(desk().courier, exposed, live, desk().turnstile, lambda exact: send(exact, *kept))
        if not bpy.app.background:
            desk().pump.start(errand)
            return {"FINISHED"}
        desk().pump.wait(errand)
        return self._end()

    def _end(self) -> Status:
        """In the background, where the whole way has been gone."""
        receive()
        session = desk().session
        refused = session.notice is not None and not session.notice.warning
        failed = bool(session.tasks and session.tasks[-1].job.problem)
        return {"CANCELLED"} if refused or failed else {"FINISHED"}


class Cancel(bpy.types.Operator):
    """Stop within one step"""

    bl_idname = "maquette.cancel"
    bl_label = "Cancel"

    scope: EnumProperty(
        items=[
            ("THIS", "This", "The picture being painted"),
            ("WAITING", "Waiting", "The pictures not yet begun"),
            ("UNSENT", "Unsent", "The exact captures being made, and what waits for a server that starts"),
            ("ALL", "All", "Every picture asked for here"),
        ],
        default="THIS",
    )

    def execute(self, context: bpy.types.Context) -> Status:
        session, pump = desk().session, desk().pump
        if self.scope in {"UNSENT", "ALL"}:
            desk().courier.withdraw()
        this = (session.active,) if session.active else ()
        meant = {"THIS": this, "WAITING": session.queued, "UNSENT": (), "ALL": session.waiting}[self.scope]
        for task in meant:
            pump.start(desk().courier.cancel(task.job.id))
        if self.scope == "WAITING" and not meant:
            message, fix = (
                "None of this Blender's pictures is waiting.",
                "Others' are: try again when some are painted.",
            )
            return refuse(self, Notice(message=message, fix=fix, code="none-waiting"))
        return {"FINISHED"}


class Dismiss(bpy.types.Operator):
    """Take this message away"""

    bl_idname = "maquette.dismiss"
    bl_label = "Dismiss"

    jobs: StringProperty(description="Failed jobs, by their ids; none for the message", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Status:
        if not self.jobs:
            return settle()
        desk().courier.move(dismissed, self.jobs.split())
        return {"FINISHED"}


class Copy(bpy.types.Operator):
    """Copy this text, to read, keep or report it"""

    bl_idname = "maquette.copy"
    bl_label = "Copy"

    text: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Status:
        context.window_manager.clipboard = self.text
        return {"FINISHED"}


def wanted(shot: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> Snapshot:
    """What the panel asks for: the scene as it stands, with the settings and the style. Raises CaptureError."""
    worn = style(shot)
    return scene.snapshot(
        shot,
        depsgraph=depsgraph,
        model=scaled(chosen(shot), shot.maquette_size),
        prompt=styled(shot.maquette_prompt, worn),
        negative=avoided(shot.maquette_negative, worn),
        seed=shot.maquette_seed,
        steps=shot.maquette_steps,
        strength=shot.maquette_strength,
    )


def unlearned(model: ModelInfo, prompt: str) -> Notice | None:
    """A warning of the words that mean nothing to a model; None where it knows them all."""
    words = [f"“{word}”" for word in strange(prompt, model.words)]
    if not words:
        return None
    told = ", ".join([*words[:TOLD], *(["…"] if len(words) > TOLD else [])])
    message, fix = f"{model.name} has not learned {told}.", "It paints as if they were not there; see It Knows."
    return Notice(message=message, fix=fix, code="strange-words", warning=True)


def wish(shot: bpy.types.Scene) -> Wish:
    """The artist's side of a request: words, style, size, and the camera as it stands."""
    return Wish(
        words=shot.maquette_prompt,
        negative=shot.maquette_negative,
        style=shot.maquette_style,
        size=shot.maquette_size,
        exact=shot.maquette_exact,
        shot=seen_from(shot.camera),
    )


def viewpoint(shot: bpy.types.Scene, camera: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> Viewpoint:
    """Where the scene is seen from, to tell later whether the camera has moved since."""
    home = Home(file=bpy.data.filepath, scene=shot.name, camera=camera.name)
    pose = scene.numbers(scene.view(shot, camera, depsgraph))
    return Viewpoint(scene=shot.session_uid, camera=camera.session_uid, pose=pose, home=home)


CLASSES = (InsertPhrase, Say, AddCamera, RollSeed, Generate, Cancel, Dismiss, Copy)
