# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished picture varied: the same request, from a noise near that of its seed."""

from dataclasses import replace

import bpy
from bpy.props import FloatProperty, IntProperty, StringProperty

from ....camera.reader import camera_of
from ....pictures.contact_sheet import cell_of_entry
from ....pictures.history import Entry
from ....protocol.blockout import SEED_MAX, Blockout
from ....runtime.app import app
from ....runtime.timers import receive
from ....session.seeds import Seeds
from ....session.task import Origin, Viewpoint
from ...context import Context
from ...sheet_views import onto_sheet
from ..status import Status, refusing, settle
from .history import entry_of
from .reuse import camera_of_entry

NEAR = 0.3  # of the way to another picture: what one sees is the same picture, otherwise


class VaryEntry(bpy.types.Operator):
    """Paint this picture again, a little otherwise: its layout and its words, from a noise near that of its seed"""

    bl_idname = "maquette.vary_entry"
    bl_label = "Vary"

    name: StringProperty(options={"HIDDEN"})
    amount: FloatProperty(
        name="Amount",
        description="How far from this picture: 0 is itself, 1 another of the same layout",
        default=NEAR,
        min=0.01,
        max=1.0,
        subtype="FACTOR",
    )
    count: IntProperty(name="Pictures", description="How many variations", default=1, min=1, max=10)

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        return set(context.window_manager.invoke_props_dialog(self, width=260))

    @refusing
    def execute(self, context: Context) -> Status:
        scene, entry, dispatcher = context.scene, entry_of(context, self.name), app().dispatcher
        camera = camera_of(scene, camera_of_entry(scene, entry))
        origin = Origin(file=bpy.data.filepath, scene=scene.name_full, camera=camera.name_full)
        view = Viewpoint(scene=scene.session_uid, camera=camera.session_uid, pose=entry.pose, origin=origin)
        details = (variation(entry, self.amount), view, entry.settings)
        seeds = Seeds(count=self.count, painted=app().gallery.painted(scene))
        status = settle()
        if not bpy.app.background:
            app().event_loop.start(onto_sheet(dispatcher.submit(*details, seeds), view, [cell_of_entry(entry)]))
            return status
        app().event_loop.wait(dispatcher.deliver(*details, seeds))
        receive()
        refused = app().session.notice is not None and not app().session.notice.warning
        return {"CANCELLED"} if refused else status


def variation(entry: Entry, amount: float) -> Blockout:
    """What to ask for; of a picture that is one itself, another on the way from the same seed."""
    request = entry.request
    towards = request.variation_seed if request.variation else request.seed + 1
    return replace(request, variation=amount, variation_seed=towards % (SEED_MAX + 1))


CLASSES = (VaryEntry,)
