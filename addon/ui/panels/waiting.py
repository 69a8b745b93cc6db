# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits to be painted, the next one first."""

import bpy

from ...pictures.origin import scene_of
from ...runtime.app import app
from ...session.progress import title, waits
from ...session.state import Session
from ...session.task import Task
from ..context import Context
from .widgets import Tab


class MAQUETTE_PT_queue(Tab, bpy.types.Panel):
    """What waits to be painted: what, since when, and for how long."""

    bl_label = "Queue"
    bl_parent_id = "MAQUETTE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Two lines for each, with its buttons."""
        session = app().session
        if not session.queued:
            self.layout.label(text="Nothing waits")
        for turn, task in enumerate(session.queued):
            self._row(session, task, turn, scene_of(task.view) == context.scene)

    def _row(self, session: Session, task: Task, turn: int, own: bool) -> None:
        row = self.layout.row()
        words = row.column(align=True)
        words.label(text=title(task))
        small = words.row()
        small.active = False
        leaving = task.job.id in session.cancelling
        small.label(text="Being removed…" if leaving else waits(session, task))
        buttons = row.row(align=True)
        buttons.enabled = not leaving
        front = buttons.row(align=True)
        front.enabled = turn > 0
        front.operator("maquette.move_to_front", text="", icon="TRIA_UP_BAR").job = task.job.id
        replace = buttons.row(align=True)
        replace.enabled = own  # what it is replaced by is this scene
        replace.operator("maquette.replace_waiting", text="", icon="FILE_REFRESH").job = task.job.id
        buttons.operator("maquette.remove_waiting", text="", icon="X").job = task.job.id
