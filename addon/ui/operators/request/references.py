# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that follow the latest one: what Generate takes over from it, and one region of it painted anew."""

from dataclasses import replace

import bpy
from bpy.props import StringProperty

from ....camera.placement import stands
from ....camera.reader import camera_of
from ....capture.snapshot import Snapshot
from ....messages.errors import ReferenceGone, RegionGone
from ....pictures import history
from ....pictures.history import Entry
from ....pictures.image import ENTRY
from ....protocol.blockout import SEED_MAX, Blockout, ReferencePicture
from ....regions import marks
from ....request.references import following, reference_of
from ....runtime.app import app
from ....runtime.timers import receive
from ....session.seeds import Seeds
from ....session.task import Origin, Viewpoint
from ...context import Context
from ...image_editor import current
from ...sheet_views import onto_sheet
from ..status import Status, refusing, settle


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
        scene, dispatcher = context.scene, app().dispatcher
        entry = latest_entry(scene)
        if entry is None:
            raise ReferenceGone()
        camera = camera_of(scene)
        origin = Origin(file=bpy.data.filepath, scene=scene.name, camera=camera.name)
        view = Viewpoint(scene=scene.session_uid, camera=camera.session_uid, pose=entry.pose, origin=origin)
        details = (repainting(entry, self._phrase(scene)), view, entry.settings)
        seeds, status = Seeds(painted=app().gallery.painted(scene)), settle()
        if not bpy.app.background:
            app().event_loop.start(onto_sheet(dispatcher.submit(*details, seeds), view))
            return status
        app().event_loop.wait(dispatcher.deliver(*details, seeds))
        receive()
        refused = app().session.notice is not None and not app().session.notice.warning
        return {"CANCELLED"} if refused else status

    def _phrase(self, scene: bpy.types.Scene) -> str:
        phrase = next((mark.phrase for item, mark in marks.marked(scene) if str(item.session_uid) == self.uid), None)
        if phrase is None:
            raise RegionGone()
        return phrase


def repainting(entry: Entry, phrase: str) -> Blockout:
    """What to ask for: the picture's own request, following it, with that region anew. Raises RegionGone."""
    request = entry.request
    names = [region.name for region in request.regions if region.phrase.casefold() == phrase.casefold()]
    if not names:
        raise RegionGone()
    free = tuple(replace(region, look="free") for region in request.regions)
    again = replace(request, regions=free, seed=(request.seed + 1) % (SEED_MAX + 1))
    return following(again, reference_of(entry.name, request, entry.achieved), repaint=names)


def latest_entry(scene: bpy.types.Scene) -> Entry | None:
    """The history's entry of the scene's latest picture; None without one, or where the file is not there."""
    image = current(scene)
    name = str(image.get(ENTRY, "")) if image is not None else ""
    if not name or history.picture(app().gallery.folder, name) is None:
        return None
    return app().gallery.entry(scene, name)


def reference_for(scene: bpy.types.Scene, snapshot: Snapshot, *, restyle: bool) -> ReferencePicture | None:
    """The latest picture, where a region keeps its look of it, or its layout is wanted; of looks alone where the camera
    has moved since. None where nothing is wanted of it, or there is none to keep a look of.

    Raises ReferenceGone where its layout is wanted and it is not there.
    """
    if not restyle and not any(mark.keep for mark in snapshot.marks):
        return None
    entry = latest_entry(scene)
    if entry is None:
        if restyle:
            raise ReferenceGone()
        return None
    pose = entry.settings.camera
    moved = pose is not None and not stands(camera_of(scene), pose)
    return reference_of(
        entry.name, entry.request, entry.achieved, "layout" if restyle else "look" if moved else "picture"
    )


def followed(blockout: Blockout, reference: ReferencePicture | None) -> Blockout:
    """The request as one that follows a picture; without one, no region keeps anything."""
    if reference is not None:
        return following(blockout, reference)
    return replace(blockout, regions=tuple(replace(region, look="free") for region in blockout.regions))


CLASSES = (RepaintRegion,)
