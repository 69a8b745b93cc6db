# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure on the graphics card, and how it is drawn over a frame: lines, and labels that keep out of each other's way.

Batches lie in fractions of the frame, so that zooming and panning a view is one matrix.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import blf
import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from .figure import Figure, Stroke, Words

PARTS = (
    ("TARGETS", "Targets", "Outlines and middles of the blocks", 1),
    ("ACHIEVED", "Achieved", "Dashed, what the picture shows", 2),
    ("WORDS", "Labels", "Names, and how far the picture is off, in per cent of the frame's diagonal", 4),
)
DARK = (0.0, 0.0, 0.0, 0.6)
EDGE = 2.5  # pixels that the dark under a line is wider than the line
PLATE = (0.0, 0.0, 0.0, 0.7)
PALE = 0.55  # of white in the letters of a colour
LETTERS, MARGIN = 11.0, 4.0  # size of letters and space around them in pixels, before the interface's scale

Colour = tuple[float, float, float, float]
Rectangle = tuple[float, float, float, float]  # left, top, right, bottom in a region's pixels


@dataclass(frozen=True)
class Line:
    """A stroke on the graphics card."""

    batch: gpu.types.GPUBatch
    colour: Colour
    width: float


@dataclass(frozen=True)
class Drawing:
    """A figure, ready to be drawn."""

    figure: Figure
    targets: tuple[Line, ...]
    achieved: tuple[Line, ...]
    words: tuple[tuple[Words, Colour], ...]
    plate: gpu.types.GPUBatch


def prepared(figure: Figure) -> Drawing:
    """A figure as batches in the colours of the artist's theme."""
    theme = bpy.context.preferences.themes[0].collection_color
    colours = [(*theme[place].color, 1.0) for place in figure.colours]
    return Drawing(
        figure,
        tuple(_line(stroke, colours[stroke.region]) for stroke in figure.targets),
        tuple(_line(stroke, colours[stroke.region]) for stroke in figure.achieved),
        tuple((words, _paler(colours[words.region])) for words in figure.words),
        batch_for_shader(
            gpu.shader.from_builtin("UNIFORM_COLOR"), "TRI_STRIP", {"pos": ((0, 0), (1, 0), (0, 1), (1, 1))}
        ),
    )


def _paler(colour: Colour) -> Colour:
    red, green, blue = (PALE + (1.0 - PALE) * part for part in colour[:3])
    return red, green, blue, 1.0


def _line(stroke: Stroke, colour: Colour) -> Line:
    points = np.zeros((stroke.segments.size // 2, 3), dtype=np.float32)
    points[:, :2] = stroke.segments.reshape(-1, 2)
    return Line(batch_for_shader(_shader(), "LINES", {"pos": points}), colour, stroke.width)


def _shader() -> gpu.types.GPUShader:
    return gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")


def draw(drawing: Drawing, frame: Rectangle) -> None:
    """Draw over a frame what the artist wants to see of it."""
    manager = bpy.context.window_manager
    if not manager.maquette_overlay:
        return
    parts, scale = manager.maquette_overlay_parts, bpy.context.preferences.system.ui_scale
    lines = [*(drawing.targets if "TARGETS" in parts else ()), *(drawing.achieved if "ACHIEVED" in parts else ())]
    left, top, right, bottom = frame
    gpu.state.blend_set("ALPHA")
    with gpu.matrix.push_pop():
        gpu.matrix.translate((left, top))
        gpu.matrix.scale((right - left, bottom - top))
        for line in lines:
            _stroke(line, DARK, (line.width + EDGE) * scale)
        for line in lines:
            _stroke(line, line.colour, line.width * scale)
    if "WORDS" in parts:
        _write(drawing, frame, scale)
    gpu.state.blend_set("NONE")


def _stroke(line: Line, colour: Colour, width: float) -> None:
    shader, viewport = _shader(), gpu.state.viewport_get()
    shader.bind()
    shader.uniform_float("viewportSize", viewport[2:])
    shader.uniform_float("lineWidth", width)
    shader.uniform_float("color", colour)
    line.batch.draw(shader)


def _write(drawing: Drawing, frame: Rectangle, scale: float) -> None:
    """Labels on dark plates, each under its region's middle; one that would lie on another moves down."""
    blf.size(0, LETTERS * scale)
    plates: list[Rectangle] = []
    for words, colour in drawing.words:
        plates.append(_plate(words, frame, scale, plates))
        left, top, right, bottom = plates[-1]
        with gpu.matrix.push_pop():
            gpu.matrix.translate((left, bottom))
            gpu.matrix.scale((right - left, top - bottom))
            _fill(drawing.plate, PLATE)
        blf.color(0, *colour)
        blf.position(0, left + MARGIN * scale, bottom + MARGIN * scale, 0.0)
        blf.draw(0, words.text)


def _plate(words: Words, frame: Rectangle, scale: float, taken: Sequence[Rectangle]) -> Rectangle:
    left, top, right, bottom = frame
    wide, high = (side / 2 + MARGIN * scale for side in (blf.dimensions(0, words.text)[0], LETTERS * scale * 0.75))
    x, y = left + words.place[0] * (right - left), top + words.place[1] * (bottom - top)
    x = max(left + wide, min(x, right - wide))
    for other in sorted(taken, key=lambda plate: -plate[1]):
        beside = other[0] > x + wide or other[2] < x - wide
        if not beside and other[3] < y + high and y - high < other[1]:
            y = other[3] - high - 1.0
    return x - wide, y + high, x + wide, y - high


def _fill(batch: gpu.types.GPUBatch, colour: Colour) -> None:
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("color", colour)
    batch.draw(shader)
