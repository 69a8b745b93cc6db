# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished picture into the scene that it was asked for in, as an undo step of its own, and into the history.

Its file may have been closed meanwhile, and be open again: then its path and the scene's name find it.
"""

import time
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ....messages.notice import Notice
from ....pictures.gallery import remember, thumb
from ....pictures.history import THUMB_SIDE, Entry
from ....pictures.image import ENTRY, loaded
from ....pictures.origin import camera_of, scene_of
from ....pictures.pixels import shrunk
from ....protocol.records import Blockout
from ....protocol.strict_json import loads
from ....runtime.app import app
from ....session.reducer import notice_changed, picture_received
from ....session.task import Task
from ...image_editor import take
from ..status import Status, refuse


class Receive(bpy.types.Operator):
    """Take a finished picture into the file"""

    bl_idname = "maquette.receive"
    bl_label = "Receive Picture"
    bl_options = {"INTERNAL", "UNDO"}

    job: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        dispatcher = app().dispatcher
        task = next(task for task in dispatcher.session.tasks if task.job.id == self.job)
        dispatcher.apply(picture_received, self.job)
        shot = scene_of(task.view)
        picture = task.picture
        assert picture is not None, "what has landed has a picture"
        try:
            if shot is None:
                _keep(task, picture)
                return refuse(self, _homeless(dispatcher.folder))
            image = loaded(picture, task.request, task.job.achieved, task.view.pose, camera_of(task.view))
            image[ENTRY] = picture.stem
        except RuntimeError as error:  # Blender's word for a file that is gone, or no picture
            return refuse(self, _unreadable(task, error))
        remember(shot, _keep(task, picture))
        take(shot, image)
        return {"FINISHED"}


def _homeless(folder: Path) -> Notice:
    message, fix = "A picture arrived for a scene that is no longer open.", "It is in the history, On Disk."
    return Notice(message=message, fix=fix, code="scene-gone", subject=str(folder))


def _unreadable(task: Task, error: RuntimeError) -> Notice:
    message = f"The picture {task.picture} cannot be read: {str(error).strip()}."
    return Notice(message=message, fix="The same seed paints it again.", code="unreadable")


def _keep(task: Task, picture: Path) -> Entry:
    """The picture's entry, written to the history on disk; a full disk is told of, and costs that copy only."""
    entry = Entry(
        name=picture.stem,
        created=time.time(),
        request=loads(Blockout, task.request),
        wish=task.wish,
        pose=task.view.pose,
        thumb=thumb(shrunk(picture, THUMB_SIDE)),
        achieved=task.job.achieved,
    )
    try:
        app().gallery.keep(entry)
    except OSError as error:
        message = f"The history on disk could not be written: {error.strerror}."
        notice = Notice(message=message, fix="Make room there.", code="history-unwritten")
        app().dispatcher.apply(notice_changed, notice)
    return entry


CLASSES = (Receive,)
