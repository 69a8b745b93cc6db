# SPDX-License-Identifier: GPL-3.0-or-later
"""What to paint, the button that does it, and what is being painted."""

import time

import bpy

from ...compat import prompt_box
from ...messages import fixes
from ...messages.notice import Notice
from ...pictures.origin import scene_of
from ...request.settings import MODEL, PROMPT, STYLE
from ...runtime.app import app
from ...runtime.windows import occupied
from ...session.progress import describe, progress, title
from ...session.state import Session
from ...session.task import Task
from ..context import Context, view_3d
from ..image_editor import outlived
from ..properties import chosen
from .menus import choice
from .widgets import Tab, notice_box

FAILURES = 3  # failed pictures that are listed at once


class MAQUETTE_PT_picture(Tab, bpy.types.Panel):
    """What to paint, and the button that does it."""

    bl_label = "Picture"
    bl_parent_id = "MAQUETTE_PT_main"

    def draw(self, context: Context) -> None:
        """Prompt and settings, Generate, what is being painted, and what went wrong."""
        layout, scene, session = self.layout, context.scene, app().session
        prompt_box(layout, scene, PROMPT, "a castle and a rocket on a meadow")
        self._settings(scene)
        self._more(scene)
        self._generate(session, scene)
        notice, space = session.notice, view_3d(context)
        if notice is not None and not (space is not None and outlived(notice, space)):
            self._notice(notice, context)
        self._failures(session.failed, context)

    def _settings(self, scene: bpy.types.Scene) -> None:
        column, model, style = self.layout.column(), chosen(scene), scene.get(STYLE, "")
        column.use_property_split = True
        column.use_property_decorate = False
        missing = style and app().style_library.find(style) is None
        choice(column, "Style", "MAQUETTE_MT_styles", style or "None", "ERROR" if missing else "NONE")
        choice(column, "Model", "MAQUETTE_MT_models", model.name)
        requested = scene.get(MODEL, "")
        if requested not in ("", model.name):
            column.label(text=f"“{requested}” is not offered", icon="ERROR")
        if model.nouns:
            choice(column, "It Knows", "MAQUETTE_MT_words", f"{len(model.nouns)} things")
        row = column.row(align=True)
        row.prop(scene, "maquette_seed")
        row.operator("maquette.roll_seed", text="", icon="FILE_REFRESH")
        row.prop(scene, "maquette_vary", text="", icon="MOD_TIME")
        column.prop(scene, "maquette_strength", slider=True)
        column.prop(scene, "maquette_masks", slider=True)
        column.prop(scene, "maquette_noise")
        column.prop(scene, "maquette_steps")
        column.prop(scene, "maquette_exact")

    def _more(self, scene: bpy.types.Scene) -> None:
        header, body = self.layout.panel("MAQUETTE_more", default_closed=True)
        header.label(text="More")
        if body is not None:
            body.use_property_split = True
            body.use_property_decorate = False
            body.prop(scene, "maquette_negative")
            body.prop(scene, "maquette_size", slider=True)
            body.prop(scene, "maquette_variation", slider=True)
            body.prop(scene, "maquette_variation_seed")

    def _generate(self, session: Session, scene: bpy.types.Scene) -> None:
        column = self.layout.column(align=True)
        row = column.row(align=True)
        row.scale_y = 1.4
        row.operator("maquette.generate", text="Queue More" if session.waiting else "Generate", icon="RENDER_STILL")
        count = row.row(align=True)
        count.ui_units_x = 2.5
        count.prop(scene, "maquette_count", text="")
        if session.exact_captures:
            more = f", {session.exact_captures - 1} more to do" if session.exact_captures > 1 else "…"
            self._draft(column, f"Capturing{more}")
        if session.submissions:
            starting = session.link.name == "starting"
            self._draft(column, "Sent when the server has started" if starting else "Sending…")
        active = session.active
        if active is None:
            if session.receivable and occupied():
                self.layout.label(text="Painted; it comes when Blender is free", icon="TIME")
            return
        row = self.layout.row(align=True)
        row.progress(factor=progress(active), text=describe(session, active, time.monotonic()))
        row.operator("maquette.cancel", text="", icon="CANCEL").scope = "THIS"
        if app().preview_image.icon:
            self.layout.template_icon(icon_value=app().preview_image.icon, scale=8.0)
        if len(session.waiting) > 1:
            row = self.layout.row(align=True)
            row.operator("maquette.cancel", text=f"Cancel {len(session.queued)} Waiting").scope = "WAITING"
            row.operator("maquette.cancel", text="Cancel All").scope = "ALL"

    def _draft(self, column: bpy.types.UILayout, text: str) -> None:
        row = column.row(align=True)
        row.label(text=text)
        row.operator("maquette.cancel", text="", icon="CANCEL").scope = "UNSENT"

    def _notice(self, notice: Notice, context: Context) -> None:
        side = notice_box(self.layout, notice, fixes.of(notice, app().startable), context)
        side.operator("maquette.dismiss", text="", icon="X", emboss=False)

    def _failures(self, failed: tuple[tuple[Task, Notice], ...], context: Context) -> None:
        for task, notice in failed[:FAILURES]:
            origin = scene_of(task.view)
            own = origin == context.scene
            elsewhere = ", for another file" if origin is None else f", in {origin.name}"
            column = self.layout.column(align=True)
            column.label(text=f"Failed{'' if own else elsewhere}: {title(task)}")
            offered = fixes.of(notice, app().startable) if own else ()  # what buttons do, they would do to this one
            side = notice_box(column, notice, offered, context)
            side.operator("maquette.dismiss", text="", icon="X", emboss=False).jobs = task.job.id
        if len(failed) > FAILURES:
            row = self.layout.row()
            row.label(text=f"{len(failed) - FAILURES} more failed")
            row.operator("maquette.dismiss", text="Dismiss All").jobs = " ".join(task.job.id for task, _ in failed)
