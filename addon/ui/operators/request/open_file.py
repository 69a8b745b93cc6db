# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture's file, or a request's, opened: what it was asked for is set in this scene, as far as it fits."""

from collections.abc import Iterator
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ....camera.placement import hold
from ....camera.reader import camera_of
from ....capture.scene_settings import write
from ....data_blocks import named
from ....messages import sentences
from ....messages.errors import UserError
from ....pictures.request_file import Opened, opened
from ....protocol.blockout import Frame, Region
from ....regions import marks
from ....request import adapters
from ....request.settings import DEFAULTS, KEYS, part
from ....request.styles import recovered
from ....runtime.app import app
from ....session.reducer import notice_changed
from ....session.state import offered_model
from ...context import Context
from ...properties import VARY
from ..status import Status, refusing, settle

OF_THE_ARTIST = {"size", "exact"}  # settings that a request does not say, but for the size of an enlarged one
ROUNDING = 0.03  # by which a frame of whole pixels may differ from the format that it was captured in


class OpenRequest(bpy.types.Operator):
    """Take up the prompt, seed, settings, regions' phrases and camera of a PNG or JSON file that Maquette saved"""

    bl_idname = "maquette.open_request"
    bl_label = "Open Request"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.png;*.json", options={"HIDDEN"})

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        if self.filepath:  # dropped
            return self.execute(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: Context) -> Status:
        file = opened(Path(bpy.path.abspath(self.filepath)), app().gallery.folder)
        scene, status = context.scene, settle()
        misfits = [
            *_set(context, file),
            *_shape(scene, file.request.frame),
            *_mark(scene, file.request.regions),
            *_look(context, file),
        ]
        marks.recall_beginning(scene, file.request)
        scene[VARY] = False
        if misfits:
            partly = sentences.opened_in_part(", ".join(misfits))
            app().dispatcher.apply(notice_changed, partly)
            self.report({"WARNING"}, f"{partly.message} {partly.fix}")
        return status


def _set(context: Context, file: Opened) -> Iterator[str]:
    """Set the settings; what is not here to be chosen."""
    kept, library = file.settings or DEFAULTS, app().style_library
    settings = recovered(kept, file.request, library.find(kept.style))
    unsaid = OF_THE_ARTIST if file.request.enlargement == 1.0 else OF_THE_ARTIST - {"size"}
    names = KEYS if file.settings else KEYS.keys() - unsaid
    write(context.scene, part(settings, names))
    if settings.style != kept.style:
        yield f"the style “{kept.style}”, whose words are in the prompt now"
    offered = [info.name for info in app().session.link.models]
    if offered and settings.model not in offered:
        yield f"the model “{settings.model}”, which is not offered"
    if offered:
        yield from adapters.faults(settings, app().session.link.adapters, offered_model(app().session, settings.model))


def _shape(scene: bpy.types.Scene, frame: Frame) -> Iterator[str]:
    """The picture's width over its height, where the scene renders another: its blocks would lie elsewhere."""
    render = scene.render
    rendered = render.resolution_x * render.pixel_aspect_x / (render.resolution_y * render.pixel_aspect_y)
    if abs(frame.width / frame.height / rendered - 1.0) > ROUNDING:
        here = f"{render.resolution_x} × {render.resolution_y}"
        yield f"the format of {frame.width} × {frame.height}, for this scene renders {here}"


def _mark(scene: bpy.types.Scene, regions: tuple[Region, ...]) -> Iterator[str]:
    """Mark what has the regions' names; the regions that nothing here is, and the things here that are none of them."""
    items = _by_name(scene)
    for region in regions:
        item = items.get(region.name)
        if item is None:
            same = region.phrase.casefold() == region.name.casefold()
            why = "which nothing here is called" if same else f"for nothing here is called {region.name}"
            yield f"“{region.phrase}”, {why}"
        elif not item.is_editable:
            yield f"“{region.phrase}”, for {region.name} belongs to another file"
        else:
            marks.mark(item, region.phrase)
            marks.write(item, marks.OFF, False)
            marks.recall(item, region)
            marks.write(item, marks.KEEP_LOOK, True if region.look == "keep" else None)
    phrases = {region.phrase.casefold() for region in regions}
    for item, mark in marks.marked(scene):
        if mark.on and mark.phrase.casefold() not in phrases:
            yield f"{item.name}, which is no region of the file's"


def _by_name(scene: bpy.types.Scene) -> dict[str, marks.Marked]:
    """Everything that a region could be, objects before collections, by its name."""
    holders = marks.collections(scene)
    items: list[marks.Marked] = [*holders, *(item for holder in holders for item in holder.objects)]
    own_last = sorted(items, key=lambda item: item.library is None)  # a name may be several's
    return {item.name: item for item in own_last} | {marks.own_name(item): item for item in items}


def _look(context: Context, file: Opened) -> Iterator[str]:
    """Put the camera where it stood; why it is not there."""
    scene, pose = context.scene, file.settings.camera if file.settings else None
    if pose is None:
        yield "the camera, of which the file says nothing"
        return
    try:
        camera = camera_of(scene, named([item for item in scene.objects if item.type == "CAMERA"], pose.camera))
        hold(camera, pose, context.view_layer)
        scene.camera = camera
    except UserError as error:
        yield f"the camera: {error.message.rstrip('.')}"


CLASSES = (OpenRequest,)
