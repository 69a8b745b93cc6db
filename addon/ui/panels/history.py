# SPDX-License-Identifier: GPL-3.0-or-later
"""What was painted before: thumbnails, and what can be taken up again of the one that is chosen."""

import bpy

from ...pictures import gallery
from ...pictures.gallery import FAVOURITES, PAGE, SCOPE, HistoryTile, Page
from ...runtime.app import app
from ..context import Context, Icon
from .messages import section_notice
from .widgets import Tab, paragraph

TILE = 76  # pixels that a thumbnail wants, at Blender's own scale


class MAQUETTE_PT_history(Tab, bpy.types.Panel):
    """Earlier pictures, of this file or of all."""

    bl_label = "History"
    bl_parent_id = "MAQUETTE_PT_main"

    def draw(self, context: Context) -> None:
        """Which history, its thumbnails newest first, and the chosen one with its buttons."""
        manager = context.window_manager
        row = self.layout.row(align=True)
        row.prop(manager, SCOPE, expand=True)
        row.prop(manager, FAVOURITES, text="", icon="SOLO_ON" if manager.maquette_favourites else "SOLO_OFF")
        self.layout.operator("maquette.open_request", text="Open Request…", icon="FILEBROWSER")
        page = gallery.page(context.scene, manager, app().gallery)
        chosen = page.find(app().gallery.chosen)
        if not page.total:
            self.layout.label(text="No favourites here" if manager.maquette_favourites else "No pictures yet")
        if page.total > PAGE:
            self._turning(page)
        columns = max(2, int(context.region.width / (TILE * context.preferences.system.ui_scale)))
        grid = self.layout.grid_flow(row_major=True, columns=columns, even_columns=True, even_rows=True, align=True)
        for tile, label in zip(page.tiles, app().gallery.labels(page.tiles), strict=True):
            self._tile(grid.column(align=True), tile, label, tile == chosen)
        if chosen is not None:  # below, or it would push what was pressed from under the pointer
            self._chosen(chosen, context)
        section_notice(self, "history", context)

    def _turning(self, page: Page) -> None:
        row = self.layout.row(align=True)
        self._turn(row, "TRIA_LEFT", False, page.first > 0)
        middle = row.row()
        middle.alignment = "CENTER"
        middle.label(text=f"{page.first + 1} to {page.last} of {page.total}")
        self._turn(row, "TRIA_RIGHT", True, page.last < page.total)

    def _turn(self, row: bpy.types.UILayout, icon: Icon, older: bool, more: bool) -> None:
        side = row.row(align=True)
        side.enabled = more
        side.operator("maquette.turn_page", text="", icon=icon).older = older

    def _tile(self, cell: bpy.types.UILayout, tile: HistoryTile, label: str, chosen: bool) -> None:
        cell.template_icon(icon_value=app().gallery.icon(tile.name), scale=3.6)
        icon: Icon = "SOLO_ON" if tile.favourite else "NONE"
        words = (
            f"{label}: {tile.prompt}" if label else tile.prompt
        )  # what tells it from the others first, for panels cut the rest off
        cell.operator("maquette.choose_entry", text=words, icon=icon, depress=chosen).name = tile.name

    def _chosen(self, tile: HistoryTile, context: Context) -> None:
        box = self.layout.box()
        box.template_icon(icon_value=app().gallery.icon(tile.name), scale=7.0)
        paragraph(box.column(align=True), tile.prompt, context)
        small = box.column(align=True)
        small.active = False
        paragraph(small, tile.caption, context)
        column = box.column(align=True)
        row = column.row(align=True)
        row.operator("maquette.show_entry", icon="IMAGE_DATA").name = tile.name
        star: Icon = "SOLO_ON" if tile.favourite else "SOLO_OFF"
        row.operator("maquette.favour", text="", icon=star, depress=tile.favourite).name = tile.name
        row.operator("maquette.copy_entry", text="", icon="COPYDOWN").name = tile.name
        row.operator("maquette.save_entry", text="", icon="FILE_TICK").name = tile.name
        row.operator("maquette.delete_entry", text="", icon="TRASH").name = tile.name
        row = column.row(align=True)
        row.operator("maquette.vary_entry", text="Vary…", icon="MOD_NOISE").name = tile.name
        row.operator("maquette.compare", icon="ARROW_LEFTRIGHT").name = tile.name
        row = column.row(align=True)
        row.label(text="Reuse")
        for part in ("PROMPT", "SEED", "EVERYTHING"):
            reuse = row.operator("maquette.reuse", text="All" if part == "EVERYTHING" else part.capitalize())
            reuse.name, reuse.what = tile.name, part
