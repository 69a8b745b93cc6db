# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet, drawn over an Image Editor: what the editor shows stays as it is, and is there again afterwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import bpy
import gpu

from ..pictures.contact_sheet import ContactSheet, SheetCell
from ..pictures.textures import Textures
from .primitives import Rgba, TextLine, fill, fitting, outline, picture, star, wide, write
from .sheet_layout import Bounds, Cell, Part, cells, inscribed, unobstructed

CAPTION, GAP, LETTERS, HINT = 22.0, 14.0, 12.0, 26.0  # pixels before the interface's scale
EMPTY = 0.06  # how much a cell without a picture is lighter than what is around it
SELECTED: Rgba = (1.0, 0.62, 0.25, 1.0)
SECOND: Rgba = (0.35, 0.65, 1.0, 1.0)
GOLD: Rgba = (1.0, 0.8, 0.3, 1.0)
RESULT = "result"
KEYS = ("Enter takes", "S stars", "V varies", "Esc leaves", "C compares with what Shift and a click mark")


@dataclass(frozen=True)
class Surroundings:
    """Where in an editor there is room, what its scale is, and in which colours the artist's theme has it."""

    region: Bounds
    room: Bounds
    scale: float
    back: Rgba
    ink: Rgba


def surroundings(area: bpy.types.Area, region: bpy.types.Region) -> Surroundings:
    """Those of an Image Editor's main region, whose header and sidebars may lie upon it."""
    preferences = bpy.context.preferences
    space = preferences.themes[0].image_editor.space
    others = [
        _bounds(other, region)
        for other in area.regions
        if other.type != "WINDOW" and min(other.width, other.height) > 1
    ]
    whole = Bounds(0.0, 0.0, float(region.width), float(region.height))
    room = unobstructed(whole, others)
    return Surroundings(whole, room, preferences.system.ui_scale, (*space.back, 1.0), (*space.text, 1.0))


def _bounds(region: bpy.types.Region, within: bpy.types.Region) -> Bounds:
    left, bottom = float(region.x - within.x), float(region.y - within.y)
    return Bounds(left, bottom, left + region.width, bottom + region.height)


def sheet_cells(sheet: ContactSheet, textures: Textures, around: Surroundings) -> tuple[Cell, ...]:
    """Where the sheet's cells lie, for what draws them and for what hears a click."""
    aspects = [textures.aspect(cell.name) or cell.facts.size[0] / cell.facts.size[1] for cell in sheet.cells]
    room, scale = around.room, around.scale
    return cells(room._replace(bottom=room.bottom + HINT * scale), aspects, CAPTION * scale, GAP * scale)


def draw_sheet(
    sheet: ContactSheet,
    textures: Textures,
    around: Surroundings,
    current: str,
    developing: dict[str, gpu.types.GPUTexture],
) -> None:
    """Draw the sheet. ``current`` is the name of the scene's picture, ``developing`` are previews by their job."""
    gpu.state.blend_set("ALPHA")
    fill(around.region, around.back)
    words = [hint(KEYS, around)]  # after all else: a graphics card draws what is alike faster at once
    for index, (cell, lies) in enumerate(zip(sheet.cells, sheet_cells(sheet, textures, around), strict=False)):
        texture = textures.find(cell.name) if cell.name else developing.get(cell.job)
        if texture is None:
            fill(lies.picture, lighter(around))
            reason = "Not on this machine" if textures.aspect(cell.name) == 0.0 else cell.words
            words.append(_in_middle(reason, lies.picture, around))
        else:
            picture(texture, Part(inscribed(lies.picture, texture.width / texture.height), 0.0, 1.0))
        if index in (sheet.selected, sheet.second):
            outline(lies.picture, SELECTED if index == sheet.selected else SECOND, 2.0 * around.scale)
        words += _caption(cell, lies.picture, cell.name == current, around)
    for each in words:
        write(each)
    gpu.state.blend_set("NONE")


def _in_middle(text: str, bounds: Bounds, around: Surroundings) -> TextLine:
    """What an empty cell says."""
    size = LETTERS * around.scale
    text = fitting(text, size, bounds.width)
    x = (bounds.left + bounds.right - wide(text, size)) / 2
    return TextLine(text, x, (bounds.bottom + bounds.top - size * 0.75) / 2, size, faded(around))


def _caption(cell: SheetCell, above: Bounds, current: bool, around: Surroundings) -> Iterator[TextLine]:
    """What tells it from the others; on its right a star, which is drawn, and whether it is the scene's picture."""
    size, scale = LETTERS * around.scale, around.scale
    y, right = above.bottom - 16.0 * scale, above.right
    if cell.favourite:
        star(Bounds(right - size, y - 1.5 * scale, right, y - 1.5 * scale + size), GOLD)
        right -= size + 6.0 * scale
    beside = wide(RESULT, size) + 6.0 * scale
    if current and wide(cell.label, size) + beside <= right - above.left:
        yield TextLine(RESULT, right - beside + 6.0 * scale, y, size, faded(around))
        right -= beside
    yield TextLine(fitting(cell.label, size, right - above.left), above.left, y, size, around.ink)


def hint(keys: Sequence[str], around: Surroundings) -> TextLine:
    """What keys do, the first of them where there is not room for all, at the editor's foot."""
    size, room = LETTERS * around.scale, around.room
    texts = ["  ·  ".join(keys[:count]) for count in range(len(keys), 0, -1)]
    text = next((text for text in texts if wide(text, size) <= room.width - 2 * GAP * around.scale), "")
    x = (room.left + room.right - wide(text, size)) / 2
    return TextLine(text, x, room.bottom + 9.0 * around.scale, size, faded(around))


def lighter(around: Surroundings) -> Rgba:
    """A little towards the colour of words."""
    red, green, blue = (b + EMPTY * (i - b) for b, i in zip(around.back[:3], around.ink[:3], strict=True))
    return red, green, blue, 1.0


def faded(around: Surroundings) -> Rgba:
    """The colour of words that are not the matter."""
    return (*around.ink[:3], 0.6)
