# SPDX-License-Identifier: GPL-3.0-or-later
"""Several views, one look: the picture of each camera is painted in turn, told what the others show, and projected."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import bpy

from ....camera.reader import camera_of
from ....messages.errors import NoCamera, ViewGone
from ....projection.projectors import artist_cameras, check_room
from ....runtime.app import app
from ....runtime.windows import redraw
from ...context import Context
from ...image_editor import current
from ..status import Status, call, refusing, settle

PERIOD = 0.1  # seconds between two looks whether a picture has come
PROJECT = "MAQUETTE_OT_project"

Turns: TypeAlias = Iterator[Callable[[], bool]]


class PaintViews(bpy.types.Operator):
    """Paint what each selected camera sees, or each of the scene, one after the other, and project it: each goes on
    with what the others show already. Esc stops after the picture that is being painted"""

    bl_idname = "maquette.paint_views"
    bl_label = "Paint from Every Camera"
    bl_options = {"REGISTER"}

    @refusing
    def execute(self, context: Context) -> Status:
        """In the background, where each press waits for its picture."""
        scene, before = context.scene, camera_of(context.scene)
        for camera in self._cameras(context):
            scene.camera = camera
            if call("maquette.generate", match=True) != {"FINISHED"} or call("maquette.project") != {"FINISHED"}:
                return {"CANCELLED"}
        scene.camera = before
        return {"FINISHED"}

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        return self.execute(context) if bpy.app.background else self._begin(context)

    @refusing
    def _begin(self, context: Context) -> Status:
        cameras = [camera.session_uid for camera in self._cameras(context)]
        self._turns = turns(context.scene.session_uid, camera_of(context.scene).session_uid, cameras)
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
        redraw()

    def _cameras(self, context: Context) -> list[bpy.types.Object]:
        """The selected cameras, or all of the scene. Raises NoCamera, TooManyViews and PanoramicCamera."""
        every = [camera for camera in artist_cameras(context.scene) if camera.visible_get()]
        chosen = [camera for camera in every if camera.select_get()]
        cameras = sorted(chosen or every, key=lambda camera: camera.name)
        if not cameras:
            raise NoCamera("The scene has no camera.", "Add one for each view.")
        check_room(context.scene, context.evaluated_depsgraph_get(), cameras)
        return cameras


def turns(scene_uid: int, before: int, cameras: list[int]) -> Turns:
    """Each camera's turn; yields what to wait for. Nothing of Blender's is kept between: an undo makes it stale.

    Ends without a word where a picture failed, for the session says why. Raises ViewGone where a camera is gone.
    """
    for uid in cameras:
        _look_through(scene_uid, uid)
        picture, before_it = _picture(scene_uid), app().event_loop.under_way
        if call("maquette.generate", "INVOKE_DEFAULT", True, match=True) != {"FINISHED"}:
            break
        sending = app().event_loop.under_way - before_it
        yield lambda sending=sending: all(task.done() for task in sending)
        yield lambda picture=picture: _picture(scene_uid) != picture or not _is_painting()
        if _picture(scene_uid) == picture:
            break
        if "RUNNING_MODAL" not in call("maquette.project", "INVOKE_DEFAULT", True):
            break
        yield lambda: all(one.bl_idname != PROJECT for window in _windows() for one in window.modal_operators)
    _look_through(scene_uid, before)


def _look_through(scene_uid: int, uid: int) -> None:
    """Have the scene's camera be that one. Raises ViewGone."""
    scene = next((one for one in bpy.data.scenes if one.session_uid == scene_uid), None)
    camera = next((one for one in bpy.data.objects if one.session_uid == uid), None)
    if scene is None or camera is None:
        raise ViewGone()
    scene.camera = camera


def _picture(scene_uid: int) -> int:
    """The session id of the scene's picture; 0 without one."""
    scene = next((one for one in bpy.data.scenes if one.session_uid == scene_uid), None)
    image = None if scene is None else current(scene)
    return 0 if image is None else image.session_uid


def _is_painting() -> bool:
    """Whether a picture may still come."""
    session = app().session
    coming = (session.submissions, session.exact_captures, session.waiting, session.unfetched, session.receivable)
    return any(coming)


def _windows() -> list[bpy.types.Window]:
    manager = bpy.context.window_manager
    return [] if manager is None else list(manager.windows)


CLASSES = (PaintViews,)
