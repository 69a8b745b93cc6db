# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished picture varied: the same request, from a noise near that of its seed."""

from dataclasses import replace

import bpy
from bpy.props import FloatProperty, IntProperty, StringProperty

from ....pictures.contact_sheet import cell_of_entry
from ....pictures.history import Entry
from ....protocol.blockout import SEED_MAX, Blockout
from ...context import Context
from ..request.history_requests import ask, viewpoint_of
from ..status import Status, refusing
from .history import entry_of

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
        scene, entry = context.scene, entry_of(context, self.name)
        view, request, first = viewpoint_of(scene, entry), variation(entry, self.amount), [cell_of_entry(entry)]
        return ask(scene, request, view, entry.settings, self.count, first)


def variation(entry: Entry, amount: float) -> Blockout:
    """What to ask for; of a picture that is one itself, another on the way from the same seed."""
    request = entry.request
    towards = request.variation_seed if request.variation else request.seed + 1
    return replace(request, variation=amount, variation_seed=towards % (SEED_MAX + 1))


CLASSES = (VaryEntry,)
