# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with the picture that is on the stage: a row that is always there, so that nothing moves when it comes."""

import bpy

from ...pictures.gallery import entries
from ...pictures.image import ENTRY
from ...runtime.app import app
from ..context import Context, Icon
from ..image_editor import current
from ..sheet_views import comparison_in, sheet_in
from .widgets import Tab


class MAQUETTE_PT_result(Tab, bpy.types.Panel):
    """What to do with the picture."""

    bl_label = "Result"
    bl_parent_id = "MAQUETTE_PT_main"
    bl_options = {"HIDE_HEADER"}

    def draw(self, context: Context) -> None:
        """The picture itself, the scene that it goes to and comes off again, others beside it; what these buttons meet
        is said on the stage, right above."""
        image, column = current(context.scene), self.layout.column(align=True)
        self._alone(column.row(align=True), image)
        self._scene(column.row(align=True), image)
        self._several(column.row(align=True), context)

    def _alone(self, row: bpy.types.UILayout, image: bpy.types.Image | None) -> None:
        """Look at it; paint it a little otherwise, or in another style."""
        row.enabled = image is not None
        row.operator("maquette.show", text="Show")
        vary = row.row(align=True)
        entry = image.get(ENTRY, "") if image is not None else ""
        vary.enabled = bool(entry)
        vary.operator("maquette.vary_entry", text="Vary…").name = entry
        vary.operator("maquette.generate", text="Restyle").restyle = True

    def _scene(self, row: bpy.types.UILayout, image: bpy.types.Image | None) -> None:
        """Into the scene, and all of it off again, which needs no picture."""
        onto = row.row(align=True)
        onto.enabled = image is not None
        onto.operator("maquette.background", text="Background")
        onto.operator("maquette.project", text="Project")
        onto.operator("maquette.project", text="", icon="RESTRICT_SELECT_OFF").selected = True
        row.operator("maquette.remove_results", text="", icon="TRASH")

    def _several(self, row: bpy.types.UILayout, context: Context) -> None:
        """To several pictures at once; in the editor that shows them, what can be done there."""
        sheet, comparison = sheet_in(context), comparison_in(context)
        if comparison is not None:
            row.operator("maquette.leave_sheet", text="Back from Comparing", icon="X")
        elif sheet is not None:
            row.operator("maquette.take_cell", text="Take")
            star: Icon = "SOLO_ON" if sheet.cell.favourite else "SOLO_OFF"
            row.operator("maquette.star_cell", text="", icon=star)
            row.operator("maquette.vary_cell", text="Vary…")
            row.operator("maquette.compare_cells", text="Compare")
            row.operator("maquette.leave_sheet", text="", icon="X")
        else:
            painted = len(entries(context.scene))
            self._offer(row, "maquette.contact_sheet", painted > 0 or bool(app().session.waiting), "Sheet")
            self._offer(row, "maquette.compare", painted > 1, "Compare")
            row.operator("maquette.inspect")

    def _offer(self, row: bpy.types.UILayout, operator: str, useful: bool, text: str) -> None:
        """A button that is grey while there is nothing for it to work on."""
        button = row.row(align=True)
        button.enabled = useful
        button.operator(operator, text=text)
