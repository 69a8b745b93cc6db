# SPDX-License-Identifier: GPL-3.0-or-later
"""A contact sheet, drawn over an Image Editor: what the editor shows stays as it is, and is there again afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import gpu

from ..pictures.contact_sheet import ContactSheet, SheetCell
from ..pictures.textures import Textures
from .primitives import Rgba, fill, fitting, outline, picture, wide, write
from .sheet_layout import Bounds, Cell, Part, cells, inscribed, unobstructed

CAPTION, GAP, LETTERS, HINT = 22.0, 14.0, 12.0, 26.0  # pixels before the interface's scale
EMPTY = 0.06  # how much a cell without a picture is lighter than what is around it
SELECTED: Rgba = (1.0, 0.62, 0.25, 1.0)
SECOND: Rgba = (0.35, 0.65, 1.0, 1.0)
STAR: Rgba = (1.0, 0.8, 0.3, 1.0)
KEYS = "Enter takes  ·  S stars  ·  V varies  ·  Shift-click another, C compares  ·  Esc leaves"


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
    for index, (cell, lies) in enumerate(zip(sheet.cells, sheet_cells(sheet, textures, around), strict=False)):
        texture = textures.find(cell.name) if cell.name else developing.get(cell.job)
        _draw_picture(cell, lies, texture, unreadable=textures.aspect(cell.name) == 0.0, around=around)
        _draw_caption(cell, lies, cell.name == current, around)
        if index in (sheet.selected, sheet.second):
            outline(lies.picture, SELECTED if index == sheet.selected else SECOND, 2.0 * around.scale)
    draw_hint(KEYS, around)
    gpu.state.blend_set("NONE")


def _draw_picture(
    cell: SheetCell, lies: Cell, texture: gpu.types.GPUTexture | None, unreadable: bool, around: Surroundings
) -> None:
    """The picture, or an empty cell and the words that say why it is empty."""
    if texture is None:
        fill(lies.picture, lighter(around))
    else:
        picture(texture, Part(inscribed(lies.picture, texture.width / texture.height), 0.0, 1.0))
    words = "Not on this machine" if cell.name and unreadable else cell.words
    if words and texture is None:
        size = LETTERS * around.scale
        text = fitting(words, size, lies.picture.width)
        x = (lies.picture.left + lies.picture.right - wide(text, size)) / 2
        write(text, x, (lies.picture.bottom + lies.picture.top - size * 0.75) / 2, size, faded(around))


def _draw_caption(cell: SheetCell, lies: Cell, current: bool, around: Surroundings) -> None:
    """What tells it from the others; on its right a star, and whether it is the scene's picture."""
    size, scale = LETTERS * around.scale, around.scale
    y, right = lies.picture.bottom - 16.0 * scale, lies.picture.right
    marks: Sequence[tuple[str, Rgba]] = (("★", STAR), ("result", faded(around)))
    for (mark, colour), wanted in zip(marks, (cell.favourite, current), strict=True):
        if wanted:
            right -= wide(mark, size)
            write(mark, right, y, size, colour)
            right -= 6.0 * scale
    words = fitting(cell.label, size, right - lies.picture.left)
    write(words, lies.picture.left, y, size, around.ink)


def draw_hint(words: str, around: Surroundings) -> None:
    """What keys do, at the editor's foot."""
    size, room = LETTERS * around.scale, around.room
    text = fitting(words, size, room.width - 2 * GAP * around.scale)
    write(text, (room.left + room.right - wide(text, size)) / 2, room.bottom + 9.0 * around.scale, size, faded(around))


def lighter(around: Surroundings) -> Rgba:
    """A little towards the colour of words."""
    red, green, blue = (b + EMPTY * (i - b) for b, i in zip(around.back[:3], around.ink[:3], strict=True))
    return red, green, blue, 1.0


def faded(around: Surroundings) -> Rgba:
    """The colour of words that are not the matter."""
    return (*around.ink[:3], 0.6)
