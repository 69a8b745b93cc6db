# SPDX-License-Identifier: GPL-3.0-or-later
"""Several views, one look: the picture of each camera is painted in turn, told what the others show, and projected."""

import asyncio
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias

import bpy

from ....data_blocks import of_session
from ....messages.errors import NoCamera, UserError, ViewGone
from ....pictures.image import ENTRY
from ....projection.keys import PROJECTOR
from ....projection.projectors import artist_cameras, check_room, projectors
from ....protocol.strict_json import ContractError
from ....runtime.app import app
from ....runtime.windows import redraw
from ....session.seeds import coming
from ....session.state import find_task
from ...context import Context
from ...image_editor import current
from ..picture.reuse import show_again
from ..status import Status, call, refusing, settle

PERIOD = 0.1  # seconds between two looks whether a picture has come
PROJECT = "MAQUETTE_OT_project"

Turns: TypeAlias = Generator[Callable[[], bool], None, None]


class PaintViews(bpy.types.Operator):
    """Paint what each selected camera sees, or each of the scene, one after the other, and project it: each goes on
    with what the others show already. Esc stops after the picture that is being painted"""

    bl_idname = "maquette.paint_views"
    bl_label = "Paint from Every Camera"
    bl_options = {"REGISTER"}

    @refusing
    def execute(self, context: Context) -> Status:
        """In the background, where each press waits for its picture."""
        for camera in self._cameras(context):
            with looking_through(context.scene, camera):
                status = call("maquette.generate", match=True)
            if status != {"FINISHED"} or call("maquette.project") != {"FINISHED"}:
                return {"CANCELLED"}
        return {"FINISHED"}

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        return self.execute(context) if bpy.app.background else self._begin(context)

    @refusing
    def _begin(self, context: Context) -> Status:
        cameras = [camera.session_uid for camera in self._cameras(context)]
        self._turns = turns(context.scene.session_uid, cameras)
        self._waits_for: Callable[[], bool] = lambda: True
        self._timer = context.window_manager.event_timer_add(PERIOD, window=context.window)
        context.window_manager.modal_handler_add(self)
        settle()
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: bpy.types.Event) -> Status:
        """A turn goes on when what it waits for has come; the artist's other events go where they would."""
        if (event.type, event.value) == ("ESC", "PRESS"):
            self.cancel(context)
            return {"CANCELLED"}
        if event.type != "TIMER" or not self._waits_for():
            return {"PASS_THROUGH"}
        try:
            self._waits_for = next(self._turns)
        except StopIteration:
            self.cancel(context)
            return {"FINISHED"}
        except ViewGone:
            self.cancel(context)
            return {"CANCELLED"}
        return {"PASS_THROUGH"}

    def cancel(self, context: Context) -> None:
        """Stop the timer; what was projected stays."""
        context.window_manager.event_timer_remove(self._timer)
        self._turns.close()
        redraw()

    def _cameras(self, context: Context) -> list[bpy.types.Object]:
        """The selected cameras, or all of the scene. Raises NoCamera, TooManyViews and PanoramicCamera."""
        cameras = [camera for camera in artist_cameras(context.scene) if camera.visible_get()]
        selection = [camera for camera in cameras if camera.select_get()]
        cameras = sorted(selection or cameras, key=lambda camera: camera.name)
        if not cameras:
            raise NoCamera("The scene has no camera.", "Add one for each view.")
        check_room(context.scene, context.evaluated_depsgraph_get(), cameras)
        return cameras


def turns(scene_uid: int, cameras: list[int]) -> Turns:
    """Each camera's turn; yields what to wait for. Nothing of Blender's is kept between: an undo makes it stale.

    Ends without a word where a picture failed, for the session says why, and where the window shows another scene.
    Raises ViewGone where a camera is gone.
    """
    for uid in cameras:
        running = app().event_loop.running
        with looking_through(*_scene_and_camera(scene_uid, uid)):
            status = _press(scene_uid, "maquette.generate", match=True)
        if status != {"FINISHED"}:
            break
        sending = app().event_loop.running - running
        yield lambda sending=sending: all(task.done() for task in sending)
        job = _job_of(sending)
        yield lambda job=job: not _is_coming(job)
        entry = _entry_of(job)
        if not entry or not make_current(scene_uid, entry):
            break
        if "RUNNING_MODAL" not in _press(scene_uid, "maquette.project"):
            break
        yield lambda: all(one.bl_idname != PROJECT for window in _windows() for one in window.modal_operators)
        if not _is_projected(scene_uid, entry):
            break


@contextmanager
def looking_through(scene: bpy.types.Scene, camera: bpy.types.Object) -> Iterator[None]:
    """The scene's camera is that one while a button is pressed, and no longer: what the press began knows it, and the
    artist may save, or press another, at any time."""
    before = scene.camera
    scene.camera = camera
    try:
        yield
    finally:
        scene.camera = before


def _press(scene_uid: int, operator: str, **values: object) -> Status:
    """Press a button of that scene; cancelled where the artist went to another, of which it would be by now."""
    scene = bpy.context.scene
    if scene is None or scene.session_uid != scene_uid:
        return {"CANCELLED"}
    return call(operator, "INVOKE_DEFAULT", True, **values)


def _scene_and_camera(scene_uid: int, uid: int) -> tuple[bpy.types.Scene, bpy.types.Object]:
    """Both, by their session ids. Raises ViewGone."""
    scene = of_session(bpy.data.scenes, scene_uid)
    camera = of_session(bpy.data.objects, uid)
    if scene is None or camera is None:
        raise ViewGone()
    return scene, camera


def _job_of(sending: Collection[asyncio.Task[object]]) -> str:
    """The job that a press has become; "" where it was not sent."""
    views = [task.result() for task in sending if not task.cancelled() and task.exception() is None]
    return next((task.job.id for task in app().session.tasks if any(task.view is view for view in views)), "")


def _is_coming(job: str) -> bool:
    """Whether its picture may still reach the scene."""
    task = find_task(app().session, job)
    return task is not None and coming(task)


def _entry_of(job: str) -> str:
    """The name of its picture in the history; "" where it has none."""
    task = find_task(app().session, job)
    return task.picture.stem if task is not None and task.received and task.picture is not None else ""


def make_current(scene_uid: int, entry: str) -> bool:
    """Have the scene's picture be that of the history, whichever has come or was shown since; whether it is."""
    scene = of_session(bpy.data.scenes, scene_uid)
    image = None if scene is None else current(scene)
    if scene is None or (image is not None and image.get(ENTRY) == entry):
        return scene is not None
    with suppress(OSError, ContractError, UserError):  # it was deleted, or cannot be read
        return show_again(scene, app().gallery.entry(scene, entry)) is not None
    return False


def _is_projected(scene_uid: int, entry: str) -> bool:
    scene = of_session(bpy.data.scenes, scene_uid)
    pictures = [] if scene is None else [projector[PROJECTOR]["picture"] for projector in projectors(scene)]
    return any(picture is not None and picture.get(ENTRY) == entry for picture in pictures)


def _windows() -> list[bpy.types.Window]:
    manager = bpy.context.window_manager
    return [] if manager is None else list(manager.windows)


CLASSES = (PaintViews,)
