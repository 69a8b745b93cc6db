# SPDX-License-Identifier: GPL-3.0-or-later
"""Bake: what is projected becomes an image over each object's UVs, slice by slice, as one undo step."""

import bpy

from ....capture.scene import evaluated
from ....cooperative import finish, one_slice
from ....messages.errors import UserError
from ....messages.notice import notice
from ....projection.baked_objects import apply_bakes, bakeable, baking
from ....projection.projectors import projectors
from ...context import Context
from ..status import Status, refuse, refusing, settle

PERIOD = 0.005  # seconds between two slices


class BakeProjections(bpy.types.Operator):
    """Make what is projected an image of each object, over UVs of its own, that exporters take along. Esc stops it"""

    bl_idname = "maquette.bake"
    bl_label = "Bake"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(projectors(context.scene))

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        """Slice by slice; scripts, and the background, have it at once."""
        return self.execute(context) if bpy.app.background else self._begin(context)

    @refusing
    def execute(self, context: Context) -> Status:
        apply_bakes(finish(baking(context.scene, evaluated(context.scene))))
        return settle()

    @refusing
    def _begin(self, context: Context) -> Status:
        bakeable(context.scene)
        self._work = baking(context.scene, evaluated(context.scene))
        self._timer = context.window_manager.event_timer_add(PERIOD, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: bpy.types.Event) -> Status:
        """A slice whenever the timer says so; the artist's other events go where they would."""
        if event.type == "ESC":
            self.cancel(context)
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        try:
            bakes = one_slice(self._work)
            if bakes is None:
                return {"PASS_THROUGH"}
            self.cancel(context)
            apply_bakes(bakes)
        except UserError as error:
            self.cancel(context)
            return refuse(self, notice(error))
        return settle()

    def cancel(self, context: Context) -> None:
        """Stop the timer; nothing has been changed."""
        context.window_manager.event_timer_remove(self._timer)


CLASSES = (BakeProjections,)
