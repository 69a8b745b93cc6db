# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the history painted again, otherwise: what is asked for is theirs, whatever the scene has become."""

from collections.abc import Container, Sequence
from dataclasses import replace

import bpy

from ....camera.reader import camera_of
from ....pictures.contact_sheet import SheetCell
from ....pictures.history import Entry
from ....protocol.blockout import Blockout
from ....protocol.strict_json import loads
from ....request.settings import Settings
from ....runtime.app import app
from ....runtime.timers import receive
from ....session.reducer import failures_dismissed
from ....session.seeds import Seeds
from ....session.task import Origin, Viewpoint
from ...sheet_views import onto_sheet
from ..picture.reuse import camera_of_entry
from ..status import Status, settle


def viewpoint_of(scene: bpy.types.Scene, entry: Entry) -> Viewpoint:
    """Where another of a picture is seen from: from where that one was. Raises NoCamera and PanoramicCamera."""
    camera = camera_of(scene, camera_of_entry(scene, entry))
    origin = Origin(file=bpy.data.filepath, scene=scene.name_full, camera=camera.name_full)
    uid = camera.session_uid
    return Viewpoint(scene=scene.session_uid, camera=uid, pose=entry.pose, origin=origin, entry=entry.name)


def ask(
    scene: bpy.types.Scene,
    request: Blockout,
    view: Viewpoint,
    settings: Settings,
    count: int = 1,
    first: Sequence[SheetCell] = (),
) -> Status:
    """Send a request as it is, with seeds that have no picture; ``first`` is what its pictures are variations of."""
    dispatcher, seeds = app().dispatcher, Seeds(count=count, painted=app().gallery.painted(scene))
    status = settle()
    if not bpy.app.background:
        app().event_loop.start(onto_sheet(dispatcher.submit(request, view, settings, seeds), view, first))
        return status
    app().event_loop.wait(dispatcher.deliver(request, view, settings, seeds))
    receive()
    refused = app().session.notice is not None and not app().session.notice.warning
    return {"CANCELLED"} if refused else status


def request_again(scene: bpy.types.Scene, jobs: Container[str]) -> Status | None:
    """Ask once more for what one of those failed jobs was to paint, where that was of the history; None where it was
    the scene's."""
    task = next((task for task in app().session.tasks if task.job.id in jobs and task.view.entry), None)
    if task is None:
        return None
    app().dispatcher.apply(failures_dismissed, [task.job.id])
    press = replace(task.view)  # a view of its own, as every press has
    return ask(scene, loads(Blockout, task.request), press, task.settings)
