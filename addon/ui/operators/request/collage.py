# SPDX-License-Identifier: GPL-3.0-or-later
"""What a picture begins with: regions out of earlier pictures, and the colours of the blocks."""

from collections.abc import Callable
from functools import partial

import bpy
from bpy.props import StringProperty

from ....messages.errors import EntryGone, ReferenceGone, RegionGone, TakenGone
from ....pictures import gallery, history
from ....pictures.history import Entry
from ....protocol.blockout import Blockout, CollagePart, Region
from ....protocol.strict_json import ContractError
from ....regions import marks
from ....request.phrases import Mark, same
from ....request.references import beginning, cutting_of
from ....runtime.app import app
from ...context import Context
from ..scene.regions import material_of, region_of, viewport_colour
from ..status import Status, refusing, settle
from .references import latest_entry


class TakeRegion(bpy.types.Operator):
    """Have this look as in the picture that is chosen in the history, or else shown, wherever its block goes and
    whatever is painted next; pressed again, no more"""

    bl_idname = "maquette.take_region"
    bl_label = "Take from Picture"
    bl_options = {"REGISTER", "UNDO"}

    uid: StringProperty(options={"HIDDEN"})
    name: StringProperty(description="The picture, by its name in the history", options={"HIDDEN", "SKIP_SAVE"})

    @refusing
    def execute(self, context: Context) -> Status:
        region = region_of(context, self.uid)
        mark = marks.read(region)
        assert mark is not None, "it is marked"
        name = self.name or _chosen(context)
        if region.get(marks.TAKEN_FROM):
            marks.write(region, marks.TAKEN_FROM, None)
            return settle()
        entry = entry_of_picture(context.scene, name) if name else latest_entry(context.scene)
        if entry is None:
            raise ReferenceGone()
        region_in_picture(entry, mark)
        marks.write(region, marks.TAKEN_FROM, entry.name)
        return settle()


def _chosen(context: Context) -> str:
    """The name of the picture that is chosen in the history, "" where the page that is shown has it not: nobody sees
    it."""
    page = gallery.page(context.scene, context.window_manager, app().gallery)
    tile = page.find(app().gallery.chosen)
    return "" if tile is None else tile.name


def entry_of_picture(scene: bpy.types.Scene, name: str) -> Entry:
    """An entry whose picture is on this machine. Raises ReferenceGone."""
    if history.picture(app().gallery.folder, name) is None:
        raise ReferenceGone()
    try:
        return app().gallery.entry(scene, name)
    except (OSError, ContractError, EntryGone) as error:  # a later version wrote it, or a crash cut it short
        raise ReferenceGone() from error


def region_in_picture(entry: Entry, mark: Mark) -> Region:
    """The region of a mark's phrase, or else of its name, in an earlier picture. Raises RegionGone."""
    regions = entry.request.regions
    region = next((region for region in regions if same(mark.phrase, region.phrase)), None)
    region = region or next((region for region in regions if region.name == mark.name), None)
    if region is None:
        raise RegionGone(mark.phrase, "that picture")
    return region


def beginning_of(scene: bpy.types.Scene) -> Callable[[Blockout], Blockout]:
    """How a request becomes one that begins as the scene has it now. Raises TakenGone."""
    parts, colours = [], {}
    amount = float(scene.get(marks.BLOCKING, 0.0))
    for item, mark in reversed(list(marks.marked(scene))):  # the first of a phrase gives the name, and so comes last
        objects = marks.parts_of(item)
        if mark.on and (mark.colour is not None or material_of(objects) is not None):
            colours[mark.name] = mark.colour or viewport_colour(objects)
        if mark.on and item.get(marks.TAKEN_FROM):
            parts.append(_cutting(scene, item, mark))
    return partial(beginning, parts=tuple(parts), amount=amount, colours=colours)


def _cutting(scene: bpy.types.Scene, item: marks.Marked, mark: Mark) -> CollagePart:
    try:
        entry = entry_of_picture(scene, str(item[marks.TAKEN_FROM]))
        theirs = region_in_picture(entry, mark)
    except (ReferenceGone, RegionGone) as error:  # which region it is, these do not know
        raise TakenGone(mark.phrase, item.session_uid) from error
    return cutting_of(mark.name, entry.name, entry.request, theirs, entry.achieved)


CLASSES = (TakeRegion,)
