# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished picture into the scene that it was asked for in, as an undo step of its own, and into the history.

Its file may have been closed meanwhile, and be open again: then its path and the scene's name find it.
"""

import time
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ....cooperative import Slices, finish
from ....messages import sentences
from ....pictures.gallery import LARGE, LandedPicture, remember
from ....pictures.history import THUMB_SIDE, Entry, thumb
from ....pictures.image import ENTRY, drop_unused, load_picture
from ....pictures.origin import camera_of, scene_of
from ....pictures.pixels import shortened, shrunk
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
        task = _task(self.job)
        dispatcher.apply(picture_received, self.job)
        scene, picture = scene_of(task.view), task.picture
        assert picture is not None, "what has landed has a picture"
        try:
            finish(app().landings.pop(self.job, _landing(task, picture)))
            landed = app().landed.pop(self.job)
            if scene is None:
                return refuse(self, sentences.scene_gone(str(dispatcher.folder)))
            view, achieved = task.view, task.job.achieved
            regions = view.regions if scene.session_uid == view.scene else ()  # else its file was opened again since
            image = load_picture(picture, task.request, achieved, view.pose, camera_of(view), regions)
            image[ENTRY] = picture.stem
        except RuntimeError as error:  # Blender's word for a file that is gone, or no picture
            return refuse(self, sentences.unreadable(str(picture), str(error).strip()))
        remember(scene, landed.entry)
        sheet = app().sheet
        if sheet is not None and sheet.keeps(self.job):
            bpy.data.images.remove(image)  # the sheet shows it from the history
            return {"FINISHED"}
        take(scene, image, landed.pixels)
        drop_unused(app().gallery.folder, image)
        return {"FINISHED"}


def receive(job: str, at_once: bool = True) -> None:
    """Take the picture of that job into its scene, as an undo step of its own. Where there is time for it, the first
    calls only read it, a slice each: all together would hold the window for longer."""
    task = _task(job)
    if not at_once and task.picture is not None and job not in app().landed:
        try:
            next(app().landings.setdefault(job, _landing(task, task.picture)), None)
            return
        except RuntimeError:  # the operator meets it too, and says so
            del app().landings[job]
    call(Receive.bl_idname, "EXEC_DEFAULT", True, job=job)


def _task(job: str) -> Task:
    return next(task for task in app().session.tasks if task.job.id == job)


def _landing(task: Task, picture: Path) -> Slices[None]:
    """Make the picture's entry, written to the history on disk, and its pixels for the panel; a full disk is told of,
    and costs that copy only. Raises RuntimeError for a file that is gone, or no picture."""
    pixels = shrunk(picture, LARGE)
    if not pixels.size:
        raise RuntimeError(f"{picture.name} is no picture")
    yield
    request = loads(Blockout, task.request)
    yield
    entry = Entry(
        name=picture.stem,
        created=time.time(),
        request=request,
        settings=task.settings,
        pose=task.view.pose,
        thumb=thumb(shortened(pixels, THUMB_SIDE)),
        achieved=task.job.achieved,
    )
    yield
    try:
        app().gallery.keep(entry)
    except OSError as error:
        app().dispatcher.apply(
            notice_changed, sentences.history_unwritten(str(app().gallery.folder), str(error.strerror))
        )
    app().landed[task.job.id] = LandedPicture(entry, pixels)


CLASSES = (Receive,)
