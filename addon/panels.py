# SPDX-License-Identifier: GPL-3.0-or-later
"""The Maquette tab of the 3D View: connection, regions, picture, result. Draws the session; decides nothing."""

import textwrap
import time

import bpy

from . import marks
from .compat import prompt_box
from .layout import default_phrase
from .pictures import PICTURE, current
from .preferences import preferences
from .pump import desk
from .session import Link, Name, Notice, Session, describe, progress

LABELS: dict[Name, tuple[str, str]] = {
    "absent": ("No server", "UNLINKED"),
    "starting": ("Starting the server…", "SORTTIME"),
    "connecting": ("Connecting…", "SORTTIME"),
    "online": ("Server", "LINKED"),
    "refused": ("The server refused us", "LOCKED"),
    "mismatch": ("Another version's server", "ERROR"),
    "offline": ("Online access is off", "INTERNET_OFFLINE"),
    "died": ("The server has ended", "ERROR"),
    "failed": ("The server makes no sense", "ERROR"),
}


class Tab:
    """What our panels share: their place."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Maquette"


class MAQUETTE_PT_main(Tab, bpy.types.Panel):
    """The connection to the server."""

    bl_label = "Maquette"

    def draw(self, context: bpy.types.Context) -> None:
        """The link's state, why it is so, and what can be done."""
        link = desk().session.link
        label, icon = LABELS[link.name]
        row = self.layout.row()
        row.label(text=f"{label}: {link.health.device}" if link.health else label, icon=icon)
        if desk().server is not None:
            stop = row.row()
            stop.alignment = "RIGHT"
            stop.operator("maquette.stop_server", text="Stop")
        if link.notice is not None:
            sentences(self.layout, link.notice, context)
        if link.name not in ("online", "starting"):
            self._ways_out(link)

    def _ways_out(self, link: Link) -> None:
        row = self.layout.row(align=True)
        if desk().server is None and not preferences().address:
            row.operator("maquette.start_server", icon="PLAY")
        row.operator("maquette.connect", text="Try Again" if link.notice else "Connect", icon="FILE_REFRESH")


class MAQUETTE_PT_regions(Tab, bpy.types.Panel):
    """The marked things of the scene."""

    bl_label = "Regions"
    bl_parent_id = "MAQUETTE_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        """A row for each marked object or collection, and the buttons that add more."""
        column = self.layout.column(align=True)
        for thing, _ in marks.marked(context.scene):
            self._row(column.row(align=True), thing, context)
        row = self.layout.row(align=True)
        row.operator("maquette.add_selected", icon="ADD")
        row.operator("maquette.add_collection", text="", icon="COLLECTION_NEW")

    def _row(self, row: bpy.types.UILayout, thing: marks.Marked, context: bpy.types.Context) -> None:
        collection = isinstance(thing, bpy.types.Collection)
        active = thing == (context.collection if collection else context.object)
        icon = "OUTLINER_COLLECTION" if collection else "OUTLINER_OB_MESH"
        row.operator("maquette.select_region", text="", icon=icon, depress=active).uid = str(thing.session_uid)
        row.prop(thing, marks.PHRASE, text="", placeholder=default_phrase(thing.name))
        row.prop(thing, marks.ENFORCE, text="", icon_only=True)
        row.operator("maquette.remove_region", text="", icon="X").uid = str(thing.session_uid)


class MAQUETTE_PT_picture(Tab, bpy.types.Panel):
    """What to paint, and the button that does it."""

    bl_label = "Picture"
    bl_parent_id = "MAQUETTE_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        """Prompt and settings, Generate, what is being painted, and what went wrong."""
        layout, scene, session = self.layout, context.scene, desk().session
        prompt_box(layout, scene, marks.PROMPT, "a castle and a rocket on a meadow")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        if len(session.link.models) > 1:
            column.prop(scene, "maquette_model")
        row = column.row(align=True)
        row.prop(scene, "maquette_seed")
        row.operator("maquette.roll_seed", text="", icon="FILE_REFRESH")
        column.prop(scene, "maquette_strength", slider=True)
        column.prop(scene, "maquette_steps")
        self._generate(session)
        if session.notice is not None:
            self._notice(session.notice, context)

    def _generate(self, session: Session) -> None:
        column = self.layout.column(align=True)
        column.scale_y = 1.4
        column.operator("maquette.generate", text="Queue More" if session.waiting else "Generate", icon="RENDER_STILL")
        if session.sending:
            column.label(text="Sending…")
        active = session.active
        if active is None:
            return
        row = self.layout.row(align=True)
        row.progress(factor=progress(active), text=describe(session, active, time.monotonic()))
        row.operator("maquette.cancel", text="", icon="CANCEL").scope = "THIS"
        if len(session.waiting) > 1:
            row = self.layout.row(align=True)
            row.label(text=f"{len(session.waiting) - 1} waiting")
            row.operator("maquette.cancel", text="Cancel Waiting").scope = "WAITING"
            row.operator("maquette.cancel", text="Cancel All").scope = "ALL"

    def _notice(self, notice: Notice, context: bpy.types.Context) -> None:
        box = self.layout.box()
        sentences(box, notice, context)
        row = box.row(align=True)
        if notice.cure == "maquette.insert_phrase":
            row.operator(notice.cure).subject = notice.subject
        elif notice.cure:
            row.operator(notice.cure)
        row.operator("maquette.dismiss")


class MAQUETTE_PT_result(Tab, bpy.types.Panel):
    """The last picture, and what to do with it."""

    bl_label = "Result"
    bl_parent_id = "MAQUETTE_PT_main"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only once there is a picture."""
        return current(context.scene) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """The picture, and where it can go."""
        image = context.scene[PICTURE]
        if image.preview is not None:
            self.layout.template_icon(icon_value=image.preview.icon_id, scale=8.0)
        column = self.layout.column(align=True)
        column.operator("maquette.show", icon="IMAGE_DATA")
        column.operator("maquette.background", icon="CAMERA_DATA")
        column.operator("maquette.project", icon="MOD_UVPROJECT")
        column.operator("maquette.remove_results", icon="TRASH")


def sentences(layout: bpy.types.UILayout, notice: Notice, context: bpy.types.Context) -> None:
    """A notice as lines that fit the panel: what is wrong, then what to do."""
    column = layout.column(align=True)
    letters = max(16, int(context.region.width / (7.5 * context.preferences.system.ui_scale)) - 4)
    for text, icon in ((notice.message, "ERROR"), (notice.fix, "BLANK1")):
        for place, line in enumerate(textwrap.wrap(text, letters)):
            column.label(text=line, icon="BLANK1" if place else icon)


register, unregister = bpy.utils.register_classes_factory(
    (MAQUETTE_PT_main, MAQUETTE_PT_regions, MAQUETTE_PT_picture, MAQUETTE_PT_result)
)
