# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits in the queue, one by one: painted next, or not at all."""

import bpy
from bpy.props import StringProperty

from ....runtime.app import app
from ...context import Context
from ..status import Status, call
from .generate import Generate


class MoveToFront(bpy.types.Operator):
    """Paint this one next, as soon as the one being painted is done"""

    bl_idname = "maquette.move_to_front"
    bl_label = "Paint Next"

    job: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        app().event_loop.start(app().dispatcher.move_to_front(self.job))
        return {"FINISHED"}


class RemoveWaiting(bpy.types.Operator):
    """Take this one out of the queue; it is not painted"""

    bl_idname = "maquette.remove_waiting"
    bl_label = "Remove"

    job: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        app().event_loop.start(app().dispatcher.cancel(self.job))
        return {"FINISHED"}


class ReplaceWaiting(bpy.types.Operator):
    """Paint the scene as it stands now in the place of this one"""

    bl_idname = "maquette.replace_waiting"
    bl_label = "Replace"

    job: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> Status:
        return call(Generate.bl_idname, replaces=self.job)


CLASSES = (MoveToFront, RemoveWaiting, ReplaceWaiting)
