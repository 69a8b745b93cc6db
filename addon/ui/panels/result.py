# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with the picture that is on the stage: a row that is always there, so that nothing moves when it comes."""

import bpy

from ...pictures.image import ENTRY
from ..context import Context
from ..image_editor import current
from .widgets import Tab


class MAQUETTE_PT_result(Tab, bpy.types.Panel):
    """What to do with the picture."""

    bl_label = "Result"
    bl_parent_id = "MAQUETTE_PT_main"
    bl_options = {"HIDE_HEADER"}

    def draw(self, context: Context) -> None:
        """Where the picture can go; what these buttons meet is said on the stage, right above."""
        image = current(context.scene)
        row = self.layout.row(align=True)
        row.enabled = image is not None
        row.operator("maquette.show", text="Show")
        row.operator("maquette.background", text="Background")
        row.operator("maquette.project", text="Project")
        vary = row.row(align=True)
        entry = image.get(ENTRY, "") if image is not None else ""
        vary.enabled = bool(entry)
        vary.operator("maquette.vary_entry", text="Vary…").name = entry
