# SPDX-License-Identifier: GPL-3.0-or-later
"""An earlier picture taken up again: shown, its request set anew, its camera put back."""

from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty

from ....camera.placement import hold, stands
from ....camera.reader import camera_of
from ....capture.scene_settings import write
from ....data_blocks import named
from ....messages import sentences
from ....messages.errors import EntryGone, HistoryUnreadable
from ....messages.notice import Notice
from ....pictures import history
from ....pictures.history import Entry
from ....pictures.image import ENTRY, camera_of_picture, drop_unused, load_picture, pictures_of_entry, replace_camera
from ....pictures.pixels import of_image
from ....protocol.blockout import Blockout
from ....regions import marks
from ....request import adapters
from ....request.phrases import same
from ....request.settings import KEYS, Settings, part
from ....request.styles import recovered
from ....runtime.app import app
from ....session.reducer import notice_changed
from ....session.state import offered_model
from ... import image_editor
from ...context import Context
from ...properties import VARY
from ..status import Status, call, refuse, refusing, say, settle
from .history import entry_of
from .result import Show

REUSED = (
    ("PROMPT", "Prompt", "Write its prompt, and choose its style"),
    ("SEED", "Seed", "Set its seed"),
    (
        "EVERYTHING",
        "Everything",
        "Set its prompt, style, seed, strength, steps and model, and what its regions had of their own",
    ),
)
TAKEN_UP = {"PROMPT": ("prompt", "negative", "style"), "SEED": ("seed",)}  # of the settings; all of them else


class ShowEntry(bpy.types.Operator):
    """Make the full picture the scene's current one: in the Image Editor, for the camera and to project"""

    bl_idname = "maquette.show_entry"
    bl_label = "Show"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        entry = entry_of(context, self.name)
        image = show_again(context.scene, entry)
        if image is None:
            return refuse(self, sentences.picture_absent(entry.name))
        status = settle()
        if context.area is not None:
            call(Show.bl_idname)  # which may have something to say
        drop_unused(app().gallery.folder, image)
        return status


class Reuse(bpy.types.Operator):
    """Take this up again"""

    bl_idname = "maquette.reuse"
    bl_label = "Reuse"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})
    what: EnumProperty(items=REUSED, options={"HIDDEN"})

    @classmethod
    def description(cls, context: Context, properties: bpy.types.OperatorProperties) -> str:
        return next(words for key, _, words in REUSED if key == properties.what)

    @refusing
    def execute(self, context: Context) -> Status:
        scene, entry = context.scene, entry_of(context, self.name)
        kept, status = entry.settings, settle()
        style = app().style_library.find(kept.style)
        settings = recovered(kept, entry.request, style)
        names = TAKEN_UP.get(self.what, tuple(KEYS))
        write(scene, part(settings, names))
        if "style" in names and settings.style != kept.style:
            self.report({"INFO"}, f"The style “{kept.style}” is not what it was: its words are in the prompt now")
        if "seed" in names:
            scene[VARY] = False
        if self.what == "EVERYTHING":
            _recall(scene, entry.request)
        if self.what == "EVERYTHING" and kept.camera is not None and not stands(scene.camera, kept.camera):
            elsewhere = sentences.camera_elsewhere(entry.name)
            say(self, elsewhere)
            self.report({"INFO"}, f"{elsewhere.message} {elsewhere.fix}")
        if "loras" in names and (missing := absent_adapters(settings)):
            self.report({"WARNING"}, missing.message)
            app().dispatcher.apply(notice_changed, missing)
        return status


class RestoreCamera(bpy.types.Operator):
    """Put this picture's camera where it stood, with the lens it had, and look through it"""

    bl_idname = "maquette.restore_camera"
    bl_label = "Camera as It Was"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(options={"HIDDEN"})

    @refusing
    def execute(self, context: Context) -> Status:
        entry = entry_of(context, self.name)
        pose = entry.settings.camera
        if pose is None:
            raise EntryGone()
        camera = camera_of(context.scene, camera_of_entry(context.scene, entry))
        hold(camera, pose, context.view_layer)
        context.scene.camera = camera
        replace_camera(entry.name, camera)
        return settle()


def show_again(scene: bpy.types.Scene, entry: Entry) -> bpy.types.Image | None:
    """Make the entry's full picture the scene's current one; None where it is not on this machine. Raises
    HistoryUnreadable."""
    picture = history.picture(app().gallery.folder, entry.name)
    if picture is None:
        return None
    image = _present(scene, entry) or _loaded(picture, entry, scene)
    image_editor.take(scene, image, of_image(image))
    drop_unused(app().gallery.folder, image)
    return image


def absent_adapters(settings: Settings) -> Notice | None:
    """A warning of the files that the server does not have as they were; None without a server to ask."""
    link = app().session.link
    model = offered_model(app().session, settings.model)
    files = list(adapters.faults(settings, link.adapters, model)) if link.name == "online" else []
    return sentences.adapters_missing(", ".join(files)) if files else None


def _recall(scene: bpy.types.Scene, request: Blockout) -> None:
    """Give the scene's regions what those of the request, which have their phrases, had of their own."""
    for item, mark in marks.marked(scene):
        region = next((region for region in request.regions if same(mark.phrase, region.phrase)), None)
        if region is not None and item.is_editable:
            marks.recall(item, region)
    marks.recall_beginning(scene, request)


def _present(scene: bpy.types.Scene, entry: Entry) -> bpy.types.Image | None:
    """The entry's picture as an image that the .blend has, seen through a camera of this scene where there is one: a
    copy of the scene has pictures of its own."""
    camera = camera_of_entry(scene, entry)
    if camera is not None:
        replace_camera(entry.name, camera)
    images, objects = pictures_of_entry(entry.name), set(scene.objects)
    return next((image for image in images if camera is None or camera_of_picture(image) in objects), None)


def _loaded(picture: Path, entry: Entry, scene: bpy.types.Scene) -> bpy.types.Image:
    """The entry's picture as an image of the .blend. Raises HistoryUnreadable."""
    try:
        image = load_picture(picture, history.request(entry), entry.achieved, entry.pose, camera_of_entry(scene, entry))
    except RuntimeError as error:  # Blender's word for a file that is no picture
        raise HistoryUnreadable("The picture cannot be read", error) from error
    image[ENTRY] = entry.name
    return image


def camera_of_entry(scene: bpy.types.Scene, entry: Entry) -> bpy.types.Object | None:
    """The camera that the entry was seen through, by its name; else the scene's; None where neither is one."""
    pose = entry.settings.camera
    camera = (named(scene.objects, pose.camera) if pose else None) or scene.camera
    return camera if camera is not None and camera.type == "CAMERA" else None


CLASSES = (ShowEntry, Reuse, RestoreCamera)
