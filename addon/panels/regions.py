# SPDX-License-Identifier: GPL-3.0-or-later
"""The marked things of the scene."""

import bpy

from .. import marks
from ..layout import default_phrase
from .tab import Tab


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
