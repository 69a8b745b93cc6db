# SPDX-License-Identifier: GPL-3.0-or-later
"""Many views of the scene at once: through every camera, or frame after frame. The scene itself stays where it is."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ....blender_process import ViewsCommand, program
from ....camera.reader import camera_of
from ....capture.scene_settings import read
from ....exact.views_capture import ViewsCapture
from ....messages.errors import NoCamera, NothingMarked, SecondBlenderFailed
from ....messages.notice import Notice
from ....pictures.sequences.frame_files import new_folder
from ....pictures.sequences.painting import SequencePainter
from ....projection.projectors import artist_cameras
from ....protocol.answers import ModelInfo
from ....protocol.blockout import Blockout
from ....protocol.strict_json import dump
from ....protocol.views import CapturedView, Views
from ....regions import marks
from ....request.settings import FLAGS, Settings, part, to_flags
from ....request.styles import applied
from ....runtime.app import app
from ....session.reducer import sequence_begun, sequence_dismissed, sequences_stopped
from ....session.sequence import PictureSequence
from ....session.task import Origin, Viewpoint
from ...context import Context
from ...properties import request_model, style
from ..status import Status, refuse, refusing, settle
from .collage import beginning_of
from .exact_capture import copied_file, copy_of
from .references import followed_view, latest_entry

FRAME = 1_048_574  # the last that Blender has


class AllCameras(bpy.types.Operator):
    """Paint this frame through every camera of the scene. A copy of the file is captured in a second Blender, so that
    nothing here moves; Keep Look holds for all of them"""

    bl_idname = "maquette.all_cameras"
    bl_label = "All Cameras"

    @refusing
    def execute(self, context: Context) -> Status:
        absent = server_absence()
        return refuse(self, absent) if absent else begin(context, (), all_cameras=True)


class FrameRange(bpy.types.Operator):
    """Paint frame after frame. A copy of the file is captured in a second Blender, so that the frame here stays where
    it is. What an earlier sequence has painted already is taken from there"""

    bl_idname = "maquette.frame_range"
    bl_label = "Frame Range"

    first: IntProperty(name="First Frame", min=-FRAME, max=FRAME, options={"SKIP_SAVE"})
    last: IntProperty(name="Last Frame", min=-FRAME, max=FRAME, default=1, options={"SKIP_SAVE"})
    step: IntProperty(name="Every", description="2 paints every other frame", min=1, default=1, options={"SKIP_SAVE"})
    cameras: BoolProperty(name="All Cameras", description="Through each of them", options={"SKIP_SAVE"})

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        """Ask which; what is offered is what the scene renders."""
        scene = context.scene
        preview = scene.use_preview_range
        self.first = scene.frame_preview_start if preview else scene.frame_start
        self.last = scene.frame_preview_end if preview else scene.frame_end
        self.step = scene.frame_step
        return set(context.window_manager.invoke_props_dialog(self, confirm_text="Paint"))

    @refusing
    def execute(self, context: Context) -> Status:
        absent, last = server_absence(), max(self.first, self.last)
        if absent:
            return refuse(self, absent)
        return begin(context, range(self.first, last + 1, self.step), all_cameras=self.cameras)


class StopSequence(bpy.types.Operator):
    """Paint no more of this sequence; what is painted stays, and painting it again goes on from there"""

    bl_idname = "maquette.stop_sequence"
    bl_label = "Stop"

    sequence: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        app().dispatcher.apply(sequences_stopped, (self.sequence,))
        return {"FINISHED"}


class DismissSequence(bpy.types.Operator):
    """Take this sequence off the list; its pictures stay in their folder"""

    bl_idname = "maquette.dismiss_sequence"
    bl_label = "Dismiss"

    sequence: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        app().dispatcher.apply(sequence_dismissed, self.sequence)
        return {"FINISHED"}


def server_absence() -> Notice | None:
    """Why there is no server to paint, and none is coming."""
    if bpy.app.background:
        app().event_loop.wait(app().dispatcher.until_answer())
    link = app().session.link
    return None if link.name in ("online", "starting", "connecting") else link.notice


def begin(context: Context, frames: Sequence[int], all_cameras: bool) -> Status:
    """Copy the file, and have all of its views captured and painted: meanwhile in a window, at once in the background.

    Raises UserError.
    """
    scene, model = context.scene, request_model(context.scene)
    settings = applied(read(scene), style(scene))
    cameras = artist_cameras(scene)
    if all_cameras and not cameras:
        raise NoCamera("The scene has no camera.", "Add one: Camera from View.")
    marks.check_apart(scene)
    if not any(mark.on for _, mark in marks.marked(scene)):
        raise NothingMarked("No object is a region yet.", "Select some, and press Add Selected.")
    keeps = any(mark.keep for _, mark in marks.marked(scene))
    entry, begin = latest_entry(scene) if keeps else None, beginning_of(scene)
    count = max(1, len(frames))
    sequence = PictureSequence(
        id=uuid.uuid4().hex,
        title=_title(frames, scene.frame_current, all_cameras),
        view=_viewpoint(scene, "" if all_cameras else camera_of(scene).name_full),
        folder=_new_folder(scene),
        size=count * len(cameras) if all_cameras else count,
    )
    capture = _capture(context, settings, model, frames, all_cameras)

    def follow(captured: CapturedView) -> Blockout:
        return begin(followed_view(captured, entry))

    painter = SequencePainter(app().dispatcher, sequence, model, settings, follow)
    app().dispatcher.apply(sequence_begun, sequence)
    status, work = settle(), painter.paint(capture)
    if bpy.app.background:
        app().event_loop.wait(work)
    else:
        app().event_loop.start(work)
    return status


def _title(frames: Sequence[int], current: int, all_cameras: bool) -> str:
    several = len(frames) > 1
    words = f"frames {frames[0]} to {frames[-1]}" if several else f"frame {frames[0] if frames else current}"
    return f"All cameras, {words}" if all_cameras else words.capitalize()


def _viewpoint(scene: bpy.types.Scene, camera: str) -> Viewpoint:
    """Of the scene, and of no pose: each picture has a camera and a frame of its own."""
    origin = Origin(file=bpy.data.filepath, scene=scene.name_full, camera=camera)
    return Viewpoint(scene=scene.session_uid, camera=0, pose=(), origin=origin)


def _new_folder(scene: bpy.types.Scene) -> Path:
    """Raises SecondBlenderFailed where nothing can be written."""
    title = "-".join(word for word in (Path(bpy.data.filepath).stem, scene.name) if word)
    try:
        return new_folder(app().folder / "sequences", title)
    except OSError as error:
        fix = "Make room there, or allow writing."
        raise SecondBlenderFailed(f"{app().folder} cannot be written: {error.strerror}.", fix) from error


def _capture(
    context: Context, settings: Settings, model: ModelInfo, frames: Sequence[int], all_cameras: bool
) -> ViewsCapture:
    """What the second Blender is to capture, of a copy of the file. Raises SecondBlenderFailed."""
    flags = part(settings, [name for name in FLAGS if name != "prompt"])
    views = Views(
        all_cameras=all_cameras,
        frames=tuple(frames),
        prompts=(settings.prompt,),
        flags=tuple(to_flags(flags)),
        model=model,
        scene_name=context.scene.name_full,
        layer=context.view_layer.name,
    )
    folder = copied_file()
    out, file = folder / "views", folder / "views.json"
    out.mkdir()
    file.write_text(json.dumps(dump(views)))
    command = ViewsCommand(source=copy_of(context, folder, None), views=file, out=out)
    return ViewsCapture(program(bpy.app.binary_path), command, app().second_blender_lock)


CLASSES = (AllCameras, FrameRange, StopSequence, DismissSequence)
