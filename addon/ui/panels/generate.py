# SPDX-License-Identifier: GPL-3.0-or-later
"""The tab's first panel: the prompt, Generate, how far it is, the server, and a stage for messages and the picture.

Its height never changes, whatever is said or painted, so that no button moves under the pointer: every row is always
there, and on the stage a message takes its lines from the picture.
"""

import time

import bpy

from ...compat import prompt_box
from ...request.settings import PROMPT
from ...runtime.app import app
from ...runtime.preferences import preferences, server_known
from ...runtime.windows import occupied
from ...session.progress import describe, progress
from ...session.state import Session
from ..context import Context
from ..image_editor import current
from .messages import Message, message
from .server import server_row
from .widgets import UNIT, Drawable, Tab, message_rows

STAGE = 9.0  # heights of a button that messages and picture share
LEAST = 2.0  # of them under which a picture is not worth its room


class MAQUETTE_PT_main(Tab, bpy.types.Panel):
    """What to paint, the button that does it, and what becomes of it."""

    bl_label = "Maquette"

    def draw(self, context: Context) -> None:
        """Prompt, Generate, progress, queue, server, Live; then the stage."""
        layout, scene, session = self.layout, context.scene, app().session
        prompt_box(layout, scene, PROMPT, "a castle and a rocket on a meadow", "maquette.edit_prompt")
        column = layout.column(align=True)
        self._generate(column, session, scene)
        self._progress(column.row(align=True), session)
        self._queue(column.row(align=True), session)
        server_row(column.row(align=True), context)
        self._live(column.row(align=True))
        self._stage(context, session)

    def _generate(self, column: bpy.types.UILayout, session: Session, scene: bpy.types.Scene) -> None:
        row = column.row(align=True)
        row.scale_y = 1.4
        row.operator("maquette.generate", text="Queue More" if session.waiting else "Generate", icon="RENDER_STILL")
        count = row.row(align=True)
        count.ui_units_x = 2.5
        count.prop(scene, "maquette_count", text="")

    def _progress(self, row: bpy.types.UILayout, session: Session) -> None:
        """What is being done, with a cross that ends it."""
        active, draft = session.active, unsent(session)
        if active is not None:
            row.progress(factor=progress(active), text=describe(session, active, time.monotonic()))
        elif draft:
            row.label(text=draft)
        elif session.receivable and occupied():
            row.label(text="Painted; it comes when Blender is free", icon="TIME")
        else:
            row.progress(factor=0.0, text="Nothing is being painted")
        side = row.row(align=True)
        side.enabled = active is not None or bool(draft)
        side.operator("maquette.cancel", text="", icon="CANCEL").scope = "UNSENT" if active is None else "THIS"

    def _queue(self, row: bpy.types.UILayout, session: Session) -> None:
        """What waits, and the buttons that cancel it."""
        queued, draft = len(session.queued), unsent(session) if session.active else ""
        row.label(text=draft or f"{queued or 'None'} waiting")
        if draft:
            row.operator("maquette.cancel", text="", icon="CANCEL").scope = "UNSENT"
        side = row.row(align=True)
        side.enabled = len(session.waiting) > 1
        side.operator("maquette.cancel", text="Cancel").scope = "WAITING"
        side.operator("maquette.cancel", text="Cancel All").scope = "ALL"

    def _live(self, row: bpy.types.UILayout) -> None:
        """Whether the scene is painted while it is edited; what comes of it, and how."""
        live = app().live.state
        words = "Live…" if live.painting else "Live"
        row.operator("maquette.live", text=words, icon="REC", depress=bool(live.scene))
        row.operator("maquette.keep_live", icon="IMPORT")
        row.popover(MAQUETTE_PT_live.__name__, text="", icon="PREFERENCES")

    def _stage(self, context: Context, session: Session) -> None:
        """A message, and in the room it leaves the picture: the one being painted, or the latest."""
        stage, room, told = self.layout.column(), STAGE, message(context, session)
        if told is not None:
            room -= message_rows(stage, told.notice, told.buttons, context, int(STAGE), lambda side: close(side, told))
        image = current(context.scene)
        icon = app().preview_image.icon if session.active else 0
        if not icon and image is not None:
            icon = app().gallery.large_icon(image)
        if not icon and image is not None and image.preview is not None:
            icon = image.preview.icon_id
        if icon and room >= LEAST:
            stage.template_icon(icon_value=icon, scale=room)
        elif told is None:
            first_steps(stage, context, room)
        elif room > 0.0:
            stage.separator(factor=room * UNIT)


class MAQUETTE_PT_live(Drawable, bpy.types.Panel):
    """How Live paints, and how much of the scene its picture hides."""

    bl_label = "Live"
    bl_space_type = "VIEW_3D"
    bl_region_type = "HEADER"  # shown as a popover only
    bl_options = {"INSTANCED"}

    def draw(self, context: Context) -> None:
        """Three numbers, of the window and not of the file."""
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name in ("maquette_live_steps", "maquette_live_size", "maquette_live_opacity"):
            column.prop(context.window_manager, name)


def unsent(session: Session) -> str:
    """What is captured or sent, in words; "" for nothing."""
    if session.exact_captures:
        return f"Capturing, {session.exact_captures - 1} more to do" if session.exact_captures > 1 else "Capturing…"
    if session.submissions:
        return "Sent when the server has started" if session.link.name == "starting" else "Sending…"
    return ""


def close(side: bpy.types.UILayout, told: Message) -> None:
    """The cross that takes a message away, where it may go."""
    if told.closable:
        side.operator("maquette.dismiss", text="", icon="X", emboss=False).jobs = told.jobs
    else:
        side.label(text="", icon="BLANK1")


def first_steps(stage: bpy.types.UILayout, context: Context, room: float) -> None:
    """Before the first picture: what to do, with a button for each step and a mark on those that are done."""
    scene, session = context.scene, app().session
    regions = bool(app().regions.rows.get(scene.session_uid, ()))
    asked = bool(session.submissions or session.exact_captures or session.waiting)
    if preferences().address:
        server = ("connect", "Connect")
    else:
        server = ("start_server", "Start Server") if server_known() else ("install_server", "Install the Server…")
    steps = (
        (regions, "maquette.add_selected", "1  Select objects: Add Selected"),
        (scene.camera is not None, "maquette.add_camera", "2  Camera from View"),
        (session.link.name in ("online", "starting"), f"maquette.{server[0]}", f"3  {server[1]}"),
        (asked, "maquette.generate", "4  Write the prompt: Generate"),
    )
    stage.label(text="To the first picture:")
    column = stage.column(align=True)
    for done, operator, words in steps:
        row = column.row(align=True)
        row.enabled = not done
        row.operator(operator, text=words, icon="CHECKMARK" if done else "BLANK1")
    stage.separator(factor=(room - 5.1) * UNIT)  # five rows, and what is between them
