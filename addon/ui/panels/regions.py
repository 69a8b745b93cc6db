# SPDX-License-Identifier: GPL-3.0-or-later
"""The regions of the scene, and what is drawn of them over camera view and picture."""

import bpy

from ...overlay.gpu_drawing import OVERLAY, PARTS, enabled_parts, is_enabled
from ...regions import marks
from ...regions.listing import Row
from ...request.phrases import default_phrase, names_any
from ...runtime.app import app
from ..context import Context, Icon, MaquetteWindowManager
from ..properties import chosen
from ..region_properties import ENFORCED
from .messages import section_notice
from .widgets import Tab, paragraph

COLOUR_ICONS: tuple[Icon, ...] = (
    "COLLECTION_COLOR_01",
    "COLLECTION_COLOR_02",
    "COLLECTION_COLOR_03",
    "COLLECTION_COLOR_04",
    "COLLECTION_COLOR_05",
    "COLLECTION_COLOR_06",
    "COLLECTION_COLOR_07",
    "COLLECTION_COLOR_08",
)


class MAQUETTE_PT_regions(Tab, bpy.types.Panel):
    """The regions of the scene."""

    bl_label = "Regions"
    bl_parent_id = "MAQUETTE_PT_main"

    def draw(self, context: Context) -> None:
        """A row for each marked object or collection, and the buttons that add more."""
        column = self.layout.column(align=True)
        model = chosen(context.scene)
        nouns = model.nouns
        selected = {item.session_uid for item in context.selected_objects}
        regions = app().regions
        for listed in regions.rows.get(context.scene.session_uid, ()):
            region = listed.find(bpy.data)
            if region is not None:
                strange = bool(nouns) and not names_any(listed.phrase, nouns)
                self._row(column.row(align=True), listed, region, not selected.isdisjoint(listed.members), strange)
                if strange:
                    words = f"{model.name} does not know “{listed.phrase}”: see It Knows"
                    paragraph(column, words, context, "ERROR", "BLANK1")
                differences = regions.differences.get(listed.uid)
                if differences and not context.scene.maquette_exact:
                    words = f"A render shows it otherwise: {', '.join(differences)}"
                    paragraph(column, words, context, "RESTRICT_RENDER_OFF", "BLANK1")
        row = self.layout.row(align=True)
        row.operator("maquette.add_selected", icon="ADD")
        row.operator("maquette.add_collection", text="", icon="COLLECTION_NEW")
        self._overlay(context.window_manager)
        section_notice(self, "regions", context)  # below the buttons, which stay where they are

    def _row(self, row: bpy.types.UILayout, listed: Row, region: marks.Marked, selected: bool, strange: bool) -> None:
        """The region's colour in the overlay, its phrase, what to keep of it, and its eye."""
        request = row.row(align=True)  # what is asked of the region: grey while it is left out
        request.active = not region.maquette_off
        select = request.operator("maquette.select_region", text="", icon=COLOUR_ICONS[listed.colour], depress=selected)
        select.uid = str(listed.uid)
        field = request.row(align=True)
        field.alert = strange  # the model knows no such noun
        field.prop(region, marks.PHRASE, text="", placeholder=default_phrase(region.name))
        for key, _, _, icon in ENFORCED:
            enforce = request.operator("maquette.enforce", text="", icon=icon, depress=key in region.maquette_enforce)
            enforce.uid, enforce.what = str(listed.uid), key
        eye_icon: Icon = "HIDE_ON" if region.maquette_off else "HIDE_OFF"
        row.prop(region, marks.OFF, text="", icon=eye_icon, invert_checkbox=True)
        row.operator("maquette.remove_region", text="", icon="X").uid = str(listed.uid)

    def _overlay(self, manager: MaquetteWindowManager) -> None:
        row = self.layout.row(align=True)
        row.prop(manager, OVERLAY, text="", icon="OVERLAY")
        parts = row.row(align=True)
        parts.active = is_enabled(manager)
        for part, label, _, _ in PARTS:
            enabled = part in enabled_parts(manager)
            parts.operator("maquette.switch_part", text=label, depress=enabled).part = part
