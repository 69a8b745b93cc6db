# SPDX-License-Identifier: GPL-3.0-or-later
"""Bake: what is projected becomes an image over each object's UVs, slice by slice, as one undo step."""

import bpy

from ....cooperative import finish, one_slice
from ....messages.errors import UserError
from ....messages.notice import notice
from ....projection.baked_objects import apply_bakes, bakeable, baking
from ....projection.projectors import projectors
from ....runtime.app import app
from ....runtime.windows import redraw
from ...context import Context
from ..status import Status, refuse, refusing, settle

PERIOD = 0.005  # seconds between two slices


class BakeProjections(bpy.types.Operator):
    """Make what is projected an image of each object, over its UVs or new ones, that exporters take along. Esc stops
    it"""

    bl_idname = "maquette.bake"
    bl_label = "Bake"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(projectors(context.scene)) and not app().is_baking

    def invoke(self, context: Context, event: bpy.types.Event) -> Status:
        """Slice by slice; scripts, and the background, have it at once."""
        return self.execute(context) if bpy.app.background else self._begin(context)

    @refusing
    def execute(self, context: Context) -> Status:
        apply_bakes(finish(baking(context.scene)))
        return settle()

    @refusing
    def _begin(self, context: Context) -> Status:
        bakeable(context.scene)
        self._work = baking(context.scene)
        self._timer = context.window_manager.event_timer_add(PERIOD, window=context.window)
        context.window_manager.modal_handler_add(self)
        app().is_baking = True
        redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: bpy.types.Event) -> Status:
        """A slice whenever the timer says so; the artist's other events go where they would."""
        if (event.type, event.value) == ("ESC", "PRESS") or not app().is_baking:
            self.cancel(context)
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        bakes, ended = None, True
        try:
            bakes = one_slice(self._work)
            ended = bakes is not None
            if bakes is not None:
                apply_bakes(bakes)
        except UserError as error:
            return refuse(self, notice(error))
        finally:
            if ended:  # by an error of ours too, or “Baking” would stay for ever
                self.cancel(context)
        return settle() if ended else {"PASS_THROUGH"}

    def cancel(self, context: Context) -> None:
        """Stop the timer; nothing has been changed."""
        context.window_manager.event_timer_remove(self._timer)
        app().is_baking = False
        redraw()


class StopBake(bpy.types.Operator):
    """Stop baking; nothing has been changed"""

    bl_idname = "maquette.stop_bake"
    bl_label = "Stop Baking"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return app().is_baking

    def execute(self, context: Context) -> Status:
        app().is_baking = False
        redraw()
        return {"FINISHED"}


CLASSES = (BakeProjections, StopBake)
