# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished picture into the scene that it was asked for in, as an undo step of its own, and into the history.

Its file may have been closed meanwhile, and be open again: then its path and the scene's name find it.
"""

import time
from pathlib import Path

import bpy
from bpy.props import StringProperty

from .album import remember, thumb
from .apply import ENTRY, loaded
from .contract import Blockout, loads
from .history import THUMB_SIDE, Entry
from .notices import Notice
from .operators.answers import Status, refuse
from .pictures import take
from .pixels import shrunk
from .pump import desk
from .session import noticed, received
from .tasks import Home, Task, Viewpoint


class Receive(bpy.types.Operator):
    """Take a finished picture into the file"""

    bl_idname = "maquette.receive"
    bl_label = "Receive Picture"
    bl_options = {"INTERNAL", "UNDO"}

    job: StringProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Status:
        courier = desk().courier
        task = next(task for task in courier.session.tasks if task.job.id == self.job)
        courier.move(received, self.job)
        shot = scene_of(task.view)
        picture = task.picture
        assert picture is not None, "what has landed has a picture"
        try:
            if shot is None:
                _keep(task, picture)
                return refuse(self, _homeless(courier.folder))
            image = loaded(picture, task.request, task.job.achieved, task.view.pose, camera_of(task.view))
            image[ENTRY] = picture.stem
        except RuntimeError as error:  # Blender's word for a file that is gone, or no picture
            return refuse(self, _unreadable(task, error))
        remember(shot, _keep(task, picture))
        take(shot, image)
        return {"FINISHED"}


def scene_of(view: Viewpoint) -> bpy.types.Scene | None:
    """The scene that was seen, while its file is open, or open again."""
    found = next((shot for shot in bpy.data.scenes if shot.session_uid == view.scene), None)
    return bpy.data.scenes.get(view.home.scene) if found is None and _again(view.home) else found


def camera_of(view: Viewpoint) -> bpy.types.Object | None:
    """The camera it was seen through, likewise."""
    found = next((thing for thing in bpy.data.objects if thing.session_uid == view.camera), None)
    found = bpy.data.objects.get(view.home.camera) if found is None and _again(view.home) else found
    return found if found is not None and found.type == "CAMERA" else None


def _again(home: Home) -> bool:
    """Whether that file is open now; one that was never saved is none."""
    return bool(home.file) and home.file == bpy.data.filepath


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
        desk().gallery.keep(entry)
    except OSError as error:
        message = f"The history on disk could not be written: {error.strerror}."
        desk().courier.move(noticed, Notice(message=message, fix="Make room there.", code="history-unwritten"))
    return entry


register, unregister = bpy.utils.register_classes_factory((Receive,))
