# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that follow the latest one: what Generate takes over from it, and one region of it painted anew."""

from collections.abc import Container
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from ....camera.view import numbers
from ....capture.canvas import Canvas
from ....capture.scene import capture
from ....capture.scene_settings import read
from ....capture.snapshot import Snapshot
from ....messages.errors import HistoryUnreadable, ReferenceGone, RegionGone
from ....pictures import history
from ....pictures.history import Entry
from ....pictures.image import ENTRY
from ....pictures.pixels import decoded, encoded, fitted
from ....protocol.blockout import SEED_MAX, Blockout, ReferencePicture
from ....protocol.strict_json import ContractError, loads
from ....protocol.views import CapturedView, unmoved
from ....regions import marks
from ....request.phrases import same
from ....request.references import Keeps, following, reference_of
from ....request.styles import applied
from ....runtime.app import app
from ...context import Context
from ...image_editor import current
from ...properties import request_model, style
from ..status import Status, call, refusing
from .history_requests import ask, viewpoint_of


class RepaintRegion(bpy.types.Operator):
    """Paint this anew in the latest picture, with the next seed; everything else stays as it is"""

    bl_idname = "maquette.repaint_region"
    bl_label = "Repaint This"

    uid: StringProperty(options={"HIDDEN"})

    @classmethod
    def poll(cls, context: Context) -> bool:
        image = current(context.scene)
        return image is not None and bool(image.get(ENTRY))

    @refusing
    def execute(self, context: Context) -> Status:
        scene = context.scene
        entry = latest_entry(scene)
        if entry is None:
            raise ReferenceGone()
        view = viewpoint_of(scene, entry)
        return ask(scene, repainting(entry, self._phrase(scene)), view, entry.settings)

    def _phrase(self, scene: bpy.types.Scene) -> str:
        phrase = next((mark.phrase for item, mark in marks.marked(scene) if str(item.session_uid) == self.uid), None)
        if phrase is None:
            raise RegionGone()
        return phrase


class FollowPicture(bpy.types.Operator):
    """Paint into a picture or photograph of yours: what keeps its look moves in it, other regions are painted anew, and
    everything else stays. The prompt has to say what it shows"""

    bl_idname = "maquette.follow_picture"
    bl_label = "Paint into a Picture…"

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_image: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @refusing
    def execute(self, context: Context) -> Status:
        canvas = panel_canvas(context)
        path, folder = Path(bpy.path.abspath(self.filepath)), app().gallery.folder
        try:
            pixels = decoded(path.read_bytes())
            if not pixels.size:
                raise RuntimeError("Blender finds no picture in it")
            png = encoded(fitted(pixels, canvas.frame.width, canvas.frame.height))
            name = sha256(png).hexdigest()
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.png").write_bytes(png)
        except (OSError, RuntimeError) as error:  # the latter is Blender's word for a file that is no picture
            raise HistoryUnreadable("The picture cannot be read", error) from error
        return call("maquette.generate", follow=name)


def panel_canvas(context: Context) -> Canvas:
    """The picture's size that the scene as it stands asks for."""
    scene, model = context.scene, request_model(context.scene)
    depsgraph = context.evaluated_depsgraph_get()
    settings = applied(read(scene), style(scene))
    return capture(scene, settings, model, depsgraph=depsgraph, patience=0.0).canvas


def repainting(entry: Entry, phrase: str) -> Blockout:
    """What to ask for: the picture's own request, following it, with that region anew. Raises RegionGone."""
    request = entry.request
    names = [region.name for region in request.regions if same(phrase, region.phrase)]
    if not names:
        raise RegionGone()
    free = tuple(replace(region, look="free") for region in request.regions)
    again = replace(request, regions=free, seed=(request.seed + 1) % (SEED_MAX + 1))
    return following(again, reference_of(entry.name, request, entry.achieved), repaint=names)


def latest_entry(scene: bpy.types.Scene) -> Entry | None:
    """The history's entry of the scene's latest picture; None without one, or where it cannot be read."""
    image = current(scene)
    name = str(image.get(ENTRY, "")) if image is not None else ""
    if not name or history.picture(app().gallery.folder, name) is None:
        return None
    try:
        return app().gallery.entry(scene, name)
    except (OSError, ContractError):  # a later version wrote it, or a crash cut it short
        return None


def reference_for(
    scene: bpy.types.Scene, snapshot: Snapshot, *, restyle: bool, picture: str
) -> ReferencePicture | None:
    """What Generate's picture follows: a ``picture`` by its sha256, which shows what the prompt says; else the latest,
    where a region keeps its look of it, or its layout is wanted; of looks alone where the camera has moved since.

    None where nothing is wanted of it, or there is none to keep a look of. Raises ReferenceGone where its layout is
    wanted and it is not there.
    """
    if picture:
        return ReferencePicture(picture=picture, caption=snapshot.settings.prompt)
    if not restyle and not any(mark.keep for mark in snapshot.marks):
        return None
    entry = latest_entry(scene)
    if entry is None:
        if restyle:
            raise ReferenceGone()
        return None
    moved = not unmoved(numbers(snapshot.view), entry.pose)
    return reference_of(
        entry.name, entry.request, entry.achieved, "layout" if restyle else "look" if moved else "picture"
    )


def followed_view(captured: CapturedView, entry: Entry | None) -> Blockout:
    """What to ask for of a view of a sequence: it follows a picture of the history, and of one that was seen from
    elsewhere keeps looks alone."""
    assert captured.blockout is not None, "it was captured"
    if entry is None:
        return followed(captured.blockout, None)
    keeps: Keeps = "picture" if unmoved(captured.pose, entry.pose) else "look"
    return followed(captured.blockout, reference_of(entry.name, entry.request, entry.achieved, keeps))


def repeated(jobs: Container[str]) -> tuple[bool, str, bool]:
    """What one that answers or replaces one of those jobs has to follow as that did: whether the latest picture's
    layout, which picture of the artist's own, by its sha256, and whether what the projected views show."""
    for task in app().session.tasks:
        reference = loads(Blockout, task.request).reference if task.job.id in jobs else None
        if reference is not None and reference.shown is not None:
            return False, "", True
        if reference is not None:
            is_ours = bool(history.digest_of(app().gallery.folder, reference.picture))
            return reference.keeps == "layout", "" if is_ours else reference.picture, False
    return False, "", False


def followed(blockout: Blockout, reference: ReferencePicture | None) -> Blockout:
    """The request as one that follows a picture; without one, no region keeps anything."""
    if reference is not None:
        return following(blockout, reference)
    return replace(blockout, regions=tuple(replace(region, look="free") for region in blockout.regions))


CLASSES = (RepaintRegion, FollowPicture)
