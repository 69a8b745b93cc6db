# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask for a picture, and stop it; set what it needs."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ....camera.placement import pose_of
from ....camera.reader import camera_of
from ....capture.gathering import SceneKey, gathering
from ....capture.scene import capture
from ....capture.scene_settings import read
from ....capture.snapshot import Snapshot, develop
from ....cooperative import Slices, finish
from ....exact.second_blender import ExactCapture, expose
from ....messages import sentences
from ....messages.notice import Notice
from ....pictures.origin import scene_of, viewpoint
from ....projection.matching import reference_to_match
from ....protocol.answers import ModelInfo
from ....protocol.blockout import Blockout, ReferencePicture
from ....regions import marks
from ....regions.visibility import layer_of
from ....request.phrases import listed, strange
from ....request.settings import KEYS, VARIATION, Settings
from ....request.styles import applied
from ....runtime.app import app
from ....runtime.timers import receive
from ....session.reducer import failures_dismissed, notice_changed, sequences_stopped
from ....session.seeds import Seeds, moving
from ....session.task import Viewpoint
from ...context import Context
from ...properties import VARY, request_model, style
from ...sheet_views import onto_sheet
from ..status import Status, call, refuse, refusing, settle
from .collage import beginning_of
from .exact_capture import exact_capture
from .history_requests import request_again
from .references import followed, reference_for, repeated

BlockoutChange: TypeAlias = Callable[[Blockout, ReferencePicture | None], Blockout]
"""From a captured request to the one that is sent; it follows what the projected views show, where they do."""

Send: TypeAlias = Callable[[Coroutine[Any, Any, int | None]], Coroutine[Any, Any, Viewpoint]]


class Generate(bpy.types.Operator):
    """Ask the server for a picture that obeys the blocks; keep working while it paints"""

    bl_idname = "maquette.generate"
    bl_label = "Generate"

    answers: StringProperty(description="The failed job that this is the answer to", options={"HIDDEN", "SKIP_SAVE"})

    changed: BoolProperty(
        description="The scene was changed for that: it is to be painted as it is now", options={"HIDDEN", "SKIP_SAVE"}
    )

    replaces: StringProperty(
        description="The waiting job whose place in the queue it takes", options={"HIDDEN", "SKIP_SAVE"}
    )

    restyle: BoolProperty(
        description="Keep the layout of the latest picture, with the words as they are now",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    follow: StringProperty(
        description="The picture to follow instead of the latest, by its sha256",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    match: BoolProperty(
        description="Go on with what the projected views show from here, and paint the rest",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @refusing
    def execute(self, context: Context) -> Status:
        scene, dispatcher = context.scene, app().dispatcher
        if not self.changed and (status := request_again(scene, self.answers.split())) is not None:
            return status
        restyle, picture, match = repeated({*self.answers.split(), self.replaces})
        dispatcher.apply(failures_dismissed, self.answers.split())
        depsgraph = context.evaluated_depsgraph_get()
        marks.check_apart(scene)
        snapshot = panel_snapshot(scene, depsgraph)
        phrases = [mark.phrase for mark in marks.marks(scene)]
        dispatcher.apply(notice_changed, unlearned(snapshot.model, snapshot.settings.prompt, phrases))
        reference = reference_for(scene, snapshot, restyle=self.restyle or restyle, picture=self.follow or picture)
        begin = beginning_of(scene)

        def follow(blockout: Blockout, shown: ReferencePicture | None) -> Blockout:
            return begin(followed(blockout, shown or reference))

        match = self.match or match
        key = SceneKey(scene.session_uid, camera_of(scene).session_uid, layer_of(depsgraph).name)
        live = developing(key, snapshot, follow, match)
        view = viewpoint(scene, camera_of(scene), depsgraph)
        details, move_on = (view, kept_settings(scene), self._seeds(context)), partial(moving_on, view, seed_of(scene))
        if snapshot.settings.exact and not match:
            capture = exact_capture(context, snapshot.settings, snapshot.model)
            return self._expose(capture, live, details, follow, move_on)
        if not bpy.app.background:
            app().event_loop.start(move_on(onto_sheet(dispatcher.send(live, *details), view)))
            return {"FINISHED"}
        app().event_loop.wait(move_on(dispatcher.deliver(finish(live), *details)))
        return self._end()

    def _seeds(self, context: Context) -> Seeds:
        scene = context.scene
        return Seeds(
            count=1 if self.replaces or self.match else scene.maquette_count,
            fixed=not scene.maquette_vary,
            painted=app().gallery.painted(scene),
            replaced=self.replaces,
        )

    def _expose(
        self,
        capture: ExactCapture,
        live: Slices[Blockout],
        details: tuple[Viewpoint, Settings, Seeds],
        follow: BlockoutChange,
        move_on: Send,
    ) -> Status:
        """Send what a render shows instead."""
        send = app().dispatcher.deliver if bpy.app.background else app().dispatcher.submit
        lock, view = app().second_blender_lock, details[0]
        exposing = expose(
            app().dispatcher,
            capture,
            live,
            lock,
            lambda blockout: move_on(onto_sheet(send(follow(blockout, None), *details), view)),
        )
        if not bpy.app.background:
            app().event_loop.start(exposing)
            return {"FINISHED"}
        app().event_loop.wait(exposing)
        return self._end()

    def _end(self) -> Status:
        """In the background, where the whole way has been gone."""
        receive()
        session = app().session
        refused = session.notice is not None and not session.notice.warning
        failed = bool(session.tasks and session.tasks[-1].job.problem)
        return {"CANCELLED"} if refused or failed else {"FINISHED"}


class NextSeed(bpy.types.Operator):
    """Paint another picture of the same: with the next seed that has none"""

    bl_idname = "maquette.next_seed"
    bl_label = "Next Seed"

    def execute(self, context: Context) -> Status:
        context.scene[VARY] = True
        return call(Generate.bl_idname)


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

    def execute(self, context: Context) -> Status:
        session, event_loop = app().session, app().event_loop
        if self.scope in {"UNSENT", "ALL"}:
            app().dispatcher.withdraw()
        if self.scope == "ALL":
            app().dispatcher.apply(sequences_stopped, {sequence.id for sequence in session.sequences})
        this = (session.active,) if session.active else ()
        tasks = {"THIS": this, "WAITING": session.queued, "UNSENT": (), "ALL": session.waiting}[self.scope]
        for task in tasks:
            event_loop.start(app().dispatcher.cancel(task.job.id))
        if self.scope == "WAITING" and not tasks:
            return refuse(self, sentences.none_waiting())
        return {"FINISHED"}


class Dismiss(bpy.types.Operator):
    """Take this message away"""

    bl_idname = "maquette.dismiss"
    bl_label = "Dismiss"

    jobs: StringProperty(description="Failed jobs, by their ids; none for the message", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        if not self.jobs:
            return settle()
        app().dispatcher.apply(failures_dismissed, self.jobs.split())
        return {"FINISHED"}


def seed_of(scene: bpy.types.Scene) -> tuple[str, int]:
    """The property that moves on, and its seed at the press: another may be typed while an exact capture is made."""
    key = KEYS[moving(scene.get(VARIATION, 0.0))]
    return key, scene.get(key, 0)


async def moving_on(view: Viewpoint, seed: tuple[str, int], sending: Coroutine[Any, Any, int | None]) -> Viewpoint:
    """Send, and have the scene's seed be what comes next, unless it is to stay or is another than the press's
    ``seed``, which was set meanwhile; the ``view``, by which this press's tasks are known."""
    key, first = seed
    following, scene = await sending, scene_of(view)
    if following is None or scene is None or not scene.get(VARY, True):
        return view
    if scene.get(key, 0) == first or first < scene.get(key, 0) < following:  # or an earlier press has moved it on
        scene[key] = following
    return view


def panel_snapshot(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, changes: Mapping[str, Any] = MappingProxyType({})
) -> Snapshot:
    """What the panel asks for: the scene as it stands, with the settings, but for ``changes``, and the style. Raises
    UserError.

    Its meshes are those that the overlay has read already; the others are yet to be read.
    """
    model = request_model(scene)  # first: what is not set is read as that one's default
    settings, meshes = replace(applied(read(scene), style(scene)), **changes), app().regions.meshes
    return capture(scene, settings, model, depsgraph=depsgraph, meshes=meshes, patience=0.0)


def developing(key: SceneKey, first: Snapshot, follow: BlockoutChange, match: bool = False) -> Slices[Blockout]:
    """The request of a snapshot, whose remaining meshes are read first; of one that is to ``match`` the projected views
    with what they show already."""
    meshes, model = app().regions.meshes, first.model

    def again(patience: float | None) -> Snapshot:
        scene, camera, graph = key.find()
        usual = capture(scene, first.settings, model, camera=camera, depsgraph=graph, meshes=meshes, patience=patience)
        return replace(usual, view=first.view, canvas=first.canvas)

    def slices() -> Slices[Blockout]:
        snapshot = yield from gathering(first, lambda snapshot: snapshot.parts, again, key, meshes)
        blockout = yield from develop(snapshot)
        folder = app().gallery.folder
        shown = (yield from reference_to_match(key, meshes, snapshot, folder)) if match else None
        return follow(blockout, shown)

    return slices()


def kept_settings(scene: bpy.types.Scene) -> Settings:
    """What is kept with the picture: the settings, and the camera as it stands."""
    return replace(read(scene), camera=pose_of(camera_of(scene)))


def unlearned(model: ModelInfo, prompt: str, phrases: Iterable[str]) -> Notice | None:
    """A warning of the words that mean nothing to a model: it leaves them out, but not those of regions' ``phrases``,
    which it reads and cannot understand. None where it knows them all."""
    words, kept = strange(prompt, model.words), strange(" ".join(phrases), model.words)
    left_out = [word for word in words if word not in kept]
    guessed = [word for word in words if word in kept]
    if guessed:
        return replace(sentences.strange_phrase(model.name, listed(guessed)), subject="\n".join(words))
    if left_out:
        left = "it" if len(left_out) == 1 else "them"
        return replace(sentences.strange_words(model.name, listed(left_out), left), subject="\n".join(words))
    return None


CLASSES = (Generate, NextSeed, Cancel, Dismiss)
