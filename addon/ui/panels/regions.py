# SPDX-License-Identifier: GPL-3.0-or-later
"""The marked things of the scene, and what is drawn of them over camera view and picture."""

import bpy

from ...overlay.gpu_drawing import PARTS
from ...overlay.scene_watcher import live
from ...regions import marks
from ...regions.listing import Row
from ...request.phrases import default_phrase, names_any
from ..properties import ENFORCED, chosen
from .widgets import Tab, paragraph

COLOUR_ICONS = tuple(f"COLLECTION_COLOR_{place:02}" for place in range(1, 9))


class MAQUETTE_PT_regions(Tab, bpy.types.Panel):
    """The marked things of the scene."""

    bl_label = "Regions"
    bl_parent_id = "MAQUETTE_PT_main"

    def draw(self, context: bpy.types.Context) -> None:
        """A row for each marked object or collection, and the buttons that add more."""
        column = self.layout.column(align=True)
        nouns = chosen(context.scene).nouns
        selected = {thing.session_uid for thing in context.selected_objects}
        for listed in live().rows.get(context.scene.session_uid, ()):
            thing = listed.find(bpy.data)
            if thing is not None:
                strange = bool(nouns) and not names_any(listed.phrase, nouns)
                self._row(column.row(align=True), listed, thing, not selected.isdisjoint(listed.members), strange)
                differences = live().unlike.words.get(listed.uid)
                if differences and not context.scene.maquette_exact:
                    said = f"A render differs: {', '.join(differences)}"
                    paragraph(column, said, context, "RESTRICT_RENDER_OFF", "BLANK1")
        row = self.layout.row(align=True)
        row.operator("maquette.add_selected", icon="ADD")
        row.operator("maquette.add_collection", text="", icon="COLLECTION_NEW")
        self._overlay(context.window_manager)

    def _row(self, row: bpy.types.UILayout, listed: Row, thing: marks.Marked, selected: bool, strange: bool) -> None:
        """The region's colour in the overlay, its phrase, what to keep of it, and its eye."""
        said = row.row(align=True)
        said.active = not thing.maquette_off
        select = said.operator("maquette.select_region", text="", icon=COLOUR_ICONS[listed.colour], depress=selected)
        select.uid = str(listed.uid)
        field = said.row(align=True)
        field.alert = strange  # the model knows no such thing
        field.prop(thing, marks.PHRASE, text="", placeholder=default_phrase(thing.name))
        for what, _, _, icon in ENFORCED:
            enforce = said.operator("maquette.enforce", text="", icon=icon, depress=what in thing.maquette_enforce)
            enforce.uid, enforce.what = str(listed.uid), what
        eye = "HIDE_ON" if thing.maquette_off else "HIDE_OFF"
        row.prop(thing, marks.OFF, text="", icon=eye, invert_checkbox=True)
        row.operator("maquette.remove_region", text="", icon="X").uid = str(listed.uid)

    def _overlay(self, manager: bpy.types.WindowManager) -> None:
        row = self.layout.row(align=True)
        row.prop(manager, "maquette_overlay", text="", icon="OVERLAY")
        parts = row.row(align=True)
        parts.active = manager.maquette_overlay
        for part, label, _, _ in PARTS:
            shown = part in manager.maquette_overlay_parts
            parts.operator("maquette.switch_part", text=label, depress=shown).part = part
