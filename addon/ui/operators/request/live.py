# SPDX-License-Identifier: GPL-3.0-or-later
"""Live on and off, and its picture taken into the file."""

import bpy

from ....camera.reader import camera_of
from ....client.exceptions import PictureUnsaved
from ....messages import sentences
from ....messages.notice import notice
from ....overlay.handlers import through_camera
from ....runtime.app import app
from ....session.live_painter import keep
from ....session.reducer import job_submitted
from ...context import Context, view_3d
from ...live_view import live_view
from ..status import Status, refuse, refusing, say, settle


class Live(bpy.types.Operator):
    """Paint the scene while you work: a quick picture over the camera's view whenever a block is let go. It is not part
    of the file until you keep it"""

    bl_idname = "maquette.live"
    bl_label = "Live"

    @classmethod
    def poll(cls, context: Context) -> bool:
        cls.poll_message_set("Live needs a window")
        return not bpy.app.background

    @refusing
    def execute(self, context: Context) -> Status:
        if app().live.state.scene:
            live_view().stop()
            return settle()
        if app().session.link.name != "online":
            return refuse(self, sentences.live_offline())
        camera_of(context.scene)
        settle()
        live_view().start(context.scene)
        if not any(through_camera(area) for window in context.window_manager.windows for area in window.screen.areas):
            say(self, sentences.live_unseen())
        return {"FINISHED"}


class KeepLive(bpy.types.Operator):
    """Take Live's picture into the file and its history, as if you had generated it"""

    bl_idname = "maquette.keep_live"
    bl_label = "Keep"

    @classmethod
    def poll(cls, context: Context) -> bool:
        cls.poll_message_set("Live has no picture yet")
        return app().live.state.picture is not None

    def execute(self, context: Context) -> Status:
        picture, dispatcher = app().live.state.picture, app().dispatcher
        assert picture is not None, "as poll says"
        try:
            dispatcher.apply(job_submitted, keep(picture, dispatcher.folder))
        except PictureUnsaved as error:
            return refuse(self, notice(error))
        return settle()


class LookThroughCamera(bpy.types.Operator):
    """Have this view look through the scene's camera"""

    bl_idname = "maquette.look_through_camera"
    bl_label = "Look through the Camera"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return view_3d(context) is not None

    def execute(self, context: Context) -> Status:
        space = view_3d(context)
        assert space is not None and space.region_3d is not None, "as poll says"
        space.region_3d.view_perspective = "CAMERA"
        return settle()


CLASSES = (Live, KeepLive, LookThroughCamera)
