# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask for a picture, and stop it; set what it needs."""

import random

import bpy
from bpy.props import EnumProperty, StringProperty

from ....camera.placement import seen_from
from ....capture import scene
from ....capture.canvas import scaled
from ....capture.snapshot import Snapshot, develop
from ....cooperative import Slices, finish
from ....exact.second_blender import ExactCapture, expose
from ....messages.errors import UserError
from ....messages.notice import Notice, notice
from ....pictures.origin import viewpoint
from ....protocol.records import SEED_MAX, Blockout, ModelInfo
from ....regions import marks
from ....request.phrases import strange
from ....request.settings import Wish
from ....request.styles import avoided, styled
from ....runtime.app import app
from ....runtime.timers import receive
from ....session.reducer import failures_dismissed, notice_changed
from ....session.task import Viewpoint
from ...properties import SEED, chosen, style
from ..status import Status, refuse, settle
from .exact_capture import exposure

TOLD = 5  # words that are named


class Generate(bpy.types.Operator):
    """Ask the server for a picture that obeys the blocks; keep working while it paints"""

    bl_idname = "maquette.generate"
    bl_label = "Generate"

    answers: StringProperty(description="The failed job that this is the answer to", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Status:
        shot, dispatcher = context.scene, app().dispatcher
        dispatcher.apply(failures_dismissed, self.answers.split())
        if shot.maquette_vary:
            shot[SEED] = random.randint(0, SEED_MAX)
        depsgraph = context.evaluated_depsgraph_get()
        try:
            marks.check_apart(shot)
            asked = wanted(shot, depsgraph)
            dispatcher.apply(notice_changed, unlearned(asked.model, asked.prompt))
            taken = develop(asked)
            view = viewpoint(shot, shot.camera, depsgraph)
            kept = (view, wish(shot), shot.maquette_count)
            if shot.maquette_exact:
                return self._expose(exposure(context), taken, kept)
            if not bpy.app.background:
                app().event_loop.start(dispatcher.send(taken, *kept))
                return {"FINISHED"}
            blockout = finish(taken)
        except UserError as error:
            return refuse(self, notice(error))
        app().event_loop.wait(dispatcher.deliver(blockout, *kept))
        return self._end()

    def _expose(self, exposed: ExactCapture, live: Slices[Blockout], kept: tuple[Viewpoint, Wish, int]) -> Status:
        """Send what a render shows instead."""
        send = app().dispatcher.deliver if bpy.app.background else app().dispatcher.submit
        errand = expose(app().dispatcher, exposed, live, app().second_blender_lock, lambda exact: send(exact, *kept))
        if not bpy.app.background:
            app().event_loop.start(errand)
            return {"FINISHED"}
        app().event_loop.wait(errand)
        return self._end()

    def _end(self) -> Status:
        """In the background, where the whole way has been gone."""
        receive()
        session = app().session
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
        session, event_loop = app().session, app().event_loop
        if self.scope in {"UNSENT", "ALL"}:
            app().dispatcher.withdraw()
        this = (session.active,) if session.active else ()
        meant = {"THIS": this, "WAITING": session.queued, "UNSENT": (), "ALL": session.waiting}[self.scope]
        for task in meant:
            event_loop.start(app().dispatcher.cancel(task.job.id))
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
        app().dispatcher.apply(failures_dismissed, self.jobs.split())
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


CLASSES = (Generate, Cancel, Dismiss)
