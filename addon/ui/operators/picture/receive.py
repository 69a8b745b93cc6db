# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished picture into the scene that it was asked for in, as an undo step of its own, and into the history.

Its file may have been closed meanwhile, and be open again: then its path and the scene's name find it.
"""

import time
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ....messages import sentences
from ....pictures.gallery import remember
from ....pictures.history import THUMB_SIDE, Entry, thumb
from ....pictures.image import ENTRY, drop_unused, load_picture
from ....pictures.origin import camera_of, scene_of
from ....pictures.pixels import ImagePixels, of_image, shortened, shrunk
from ....protocol.blockout import Blockout
from ....protocol.strict_json import loads
from ....runtime.app import app
from ....session.reducer import notice_changed, picture_received
from ....session.task import Task
from ...context import Context
from ...image_editor import take
from ..status import Status, call, refuse


class Receive(bpy.types.Operator):
    """Take a finished picture into the file"""

    bl_idname = "maquette.receive"
    bl_label = "Receive Picture"
    bl_options = {"INTERNAL", "UNDO"}

    job: StringProperty(options={"HIDDEN"})

    def execute(self, context: Context) -> Status:
        dispatcher = app().dispatcher
        task = next(task for task in dispatcher.session.tasks if task.job.id == self.job)
        dispatcher.apply(picture_received, self.job)
        scene, picture = scene_of(task.view), task.picture
        assert picture is not None, "what has landed has a picture"
        try:
            if scene is None:
                _keep(task, picture, shrunk(picture, THUMB_SIDE))
                return refuse(self, sentences.scene_gone(str(dispatcher.folder)))
            view, achieved = task.view, task.job.achieved
            regions = view.regions if scene.session_uid == view.scene else ()  # else its file was opened again since
            image = load_picture(picture, task.request, achieved, view.pose, camera_of(view), regions)
            image[ENTRY] = picture.stem
        except RuntimeError as error:  # Blender's word for a file that is gone, or no picture
            return refuse(self, sentences.unreadable(str(picture), str(error).strip()))
        pixels = of_image(image)
        remember(scene, _keep(task, picture, shortened(pixels, THUMB_SIDE)))
        sheet = app().sheet
        if sheet is not None and sheet.keeps(self.job):
            bpy.data.images.remove(image)  # the sheet shows it from the history
            return {"FINISHED"}
        take(scene, image, pixels)
        drop_unused(app().gallery.folder, image)
        return {"FINISHED"}


def receive(job: str) -> None:
    """Take the picture of that job into its scene, as an undo step of its own."""
    call(Receive.bl_idname, "EXEC_DEFAULT", True, job=job)


def _keep(task: Task, picture: Path, small: ImagePixels) -> Entry:
    """The picture's entry, with a ``small`` picture of it, written to the history on disk; a full disk is told of, and
    costs that copy only."""
    entry = Entry(
        name=picture.stem,
        created=time.time(),
        request=loads(Blockout, task.request),
        settings=task.settings,
        pose=task.view.pose,
        thumb=thumb(small),
        achieved=task.job.achieved,
    )
    try:
        app().gallery.keep(entry)
    except OSError as error:
        app().dispatcher.apply(
            notice_changed, sentences.history_unwritten(str(app().gallery.folder), str(error.strerror))
        )
    return entry


CLASSES = (Receive,)
