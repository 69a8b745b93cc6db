# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits to be painted, the next one first; and sequences, of which a few pictures wait at a time."""

import bpy

from ...pictures.origin import scene_of
from ...runtime.app import app
from ...session.progress import title, waits
from ...session.sequence import PictureSequence
from ...session.state import Session
from ...session.task import Task
from ..context import Context
from .widgets import Tab, paragraph


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
        replace.enabled = own and not task.view.sequence  # what it is replaced by is this scene as it stands
        replace.operator("maquette.replace_waiting", text="", icon="FILE_REFRESH").job = task.job.id
        buttons.operator("maquette.remove_waiting", text="", icon="X").job = task.job.id


class MAQUETTE_PT_sequences(Tab, bpy.types.Panel):
    """Many views at once, how far they are, and what to do with them."""

    bl_label = "Sequences"
    bl_parent_id = "MAQUETTE_PT_main"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        """Two buttons that begin one; then each, the newest first."""
        row = self.layout.row(align=True)
        row.operator("maquette.all_cameras", icon="OUTLINER_OB_CAMERA")
        row.operator("maquette.frame_range", text="Frame Range…", icon="RENDER_ANIMATION")
        for sequence in reversed(app().session.sequences):
            self._sequence(sequence, scene_of(sequence.view) == context.scene, context)

    def _sequence(self, sequence: PictureSequence, own: bool, context: Context) -> None:
        column = self.layout.column(align=True)
        column.label(text=sequence.title)
        row = column.row(align=True)
        row.progress(factor=sequence.fraction, text=sequence.words)
        side = row.row(align=True)
        side.enabled = not sequence.stopping or sequence.ended
        name = "dismiss_sequence" if sequence.ended else "stop_sequence"
        side.operator(f"maquette.{name}", text="", icon="X" if sequence.ended else "CANCEL").sequence = sequence.id
        for line in (sequence.note, *_troubles(sequence)):
            if line:
                paragraph(column, line, context, "ERROR", "BLANK1")
        results = column.row(align=True)
        for name, text, useful in (
            ("sequence_background", "Background", own),
            ("sequence_strips", "Strips", own and sequence.long),
            ("open_sequence", "Folder", True),
        ):
            button = results.row(align=True)
            button.enabled = useful and sequence.painted > 0
            button.operator(f"maquette.{name}", text=text).sequence = sequence.id


def _troubles(sequence: PictureSequence) -> tuple[str, ...]:
    """Why pictures are missing: each reason once, with the first view that it holds for."""
    reasons = {frame.trouble: frame for frame in reversed(sequence.failed)}
    return tuple(f"{frame.camera}, frame {frame.frame}: {trouble}" for trouble, frame in reversed(reasons.items()))
