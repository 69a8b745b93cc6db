# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pictures on the two sides of a line, drawn over an Image Editor where its own picture lies, at its zoom."""

import bpy
import gpu

from ..pictures.comparison import Comparison
from ..pictures.textures import Textures
from .primitives import Rgba, TextLine, fill, fitting, picture, wide, write
from .sheet_drawing import LETTERS, Surroundings, hint, lighter
from .sheet_layout import Bounds, inscribed, left_of, line_at, right_of

LINE: Rgba = (1.0, 1.0, 1.0, 0.9)
SHADOW: Rgba = (0.0, 0.0, 0.0, 0.5)
PLATE: Rgba = (0.0, 0.0, 0.0, 0.7)
HANDLE, MARGIN = 6.0, 6.0  # pixels before the interface's scale
KEYS = ("Drag the line", "Esc leaves")


def comparison_frame(comparison: Comparison, textures: Textures, view: bpy.types.View2D) -> Bounds:
    """Where the first picture lies in the region: as large as fits where the editor's own picture does."""
    left, bottom = view.view_to_region(0.0, 0.0, clip=False)
    right, top = view.view_to_region(1.0, 1.0, clip=False)
    place = Bounds(float(left), float(bottom), float(max(right, left + 1)), float(max(top, bottom + 1)))
    aspect = textures.aspect(comparison.names[0])
    return inscribed(place, aspect) if aspect else place


def draw_comparison(comparison: Comparison, textures: Textures, frame: Bounds, around: Surroundings) -> None:
    """Draw both, the line between them, and what tells them apart below."""
    gpu.state.blend_set("ALPHA")
    fill(around.region, around.back)
    fill(frame, lighter(around))
    line = line_at(frame, comparison.line)
    for name, side in zip(comparison.names, (left_of, right_of), strict=True):
        texture = textures.find(name)
        if texture is not None:
            part = side(inscribed(frame, texture.width / texture.height), line)
            if part.bounds.width > 0.0:
                picture(texture, part)
    _draw_line(line, frame, around.scale)
    for words in (*_captions(comparison, textures, frame, around), hint(KEYS, around)):
        write(words)
    gpu.state.blend_set("NONE")


def _draw_line(x: float, frame: Bounds, scale: float) -> None:
    """White with a dark edge, so that it is seen on any picture; and a handle in its middle."""
    middle = (frame.bottom + frame.top) / 2
    for wider, colour in ((1.5, SHADOW), (0.0, LINE)):
        half, handle = (0.75 + wider) * scale, (HANDLE + wider) * scale
        fill(Bounds(x - half, frame.bottom, x + half, frame.top), colour)
        fill(Bounds(x - handle / 2, middle - 2 * handle, x + handle / 2, middle + 2 * handle), colour)


def _captions(comparison: Comparison, textures: Textures, frame: Bounds, around: Surroundings) -> list[TextLine]:
    """On plates, which are drawn, in the upper corners of what is seen of the frame."""
    captions = []
    size, margin = LETTERS * around.scale, MARGIN * around.scale
    seen = Bounds(*map(max, frame[:2], around.room[:2]), *map(min, frame[2:], around.room[2:]))
    for number, (name, caption) in enumerate(zip(comparison.names, comparison.captions, strict=True)):
        missing = textures.aspect(name) == 0.0
        words = fitting(f"{caption}, not on this machine" if missing else caption, size, seen.width / 2 - 3 * margin)
        if not words or seen.height < 3 * size:
            continue
        width = wide(words, size) + 2 * margin
        left = seen.right - width - margin if number else seen.left + margin
        bottom = seen.top - margin - size - 2 * margin
        fill(Bounds(left, bottom, left + width, bottom + size + 2 * margin - 2.0), PLATE)
        captions.append(TextLine(words, left + margin, bottom + margin + 1.0, size, (1.0, 1.0, 1.0, 1.0)))
    return captions
