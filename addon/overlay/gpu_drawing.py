# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure on the graphics card, and how it is drawn over a frame: lines, and labels that keep out of each other's way.

Batches lie in fractions of the frame, so that zooming and panning a view is one matrix.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import blf
import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ..regions.palette import COLOURS
from ..runtime.windows import window_manager
from .figure import Figure, Label, Stroke
from .primitives import Rgba, TextLine, fill, own_matrix, write
from .sheet_layout import Bounds

OVERLAY, OVERLAY_PARTS = "maquette_overlay", "maquette_overlay_parts"  # the artist's switches, on the window manager
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

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom in a region's pixels


@dataclass(frozen=True)
class LineBatch:
    """A stroke on the graphics card."""

    batch: gpu.types.GPUBatch
    colour: Rgba
    width: float


@dataclass(frozen=True)
class Drawing:
    """A figure, ready to be drawn."""

    figure: Figure
    targets: tuple[LineBatch, ...]
    achieved: tuple[LineBatch, ...]
    labels: tuple[tuple[Label, Rgba], ...]


def prepared(figure: Figure) -> Drawing:
    """A figure as batches."""
    colours: list[Rgba] = [(*COLOURS[index], 1.0) for index in figure.colours]
    return Drawing(
        figure,
        tuple(_line_batch(stroke, colours[stroke.region]) for stroke in figure.targets),
        tuple(_line_batch(stroke, colours[stroke.region]) for stroke in figure.achieved),
        tuple((label, _paler(colours[label.region])) for label in figure.labels),
    )


def _paler(colour: Rgba) -> Rgba:
    red, green, blue = (PALE + (1.0 - PALE) * channel for channel in colour[:3])
    return red, green, blue, 1.0


def _line_batch(stroke: Stroke, colour: Rgba) -> LineBatch:
    points = np.zeros((stroke.segments.size // 2, 3), dtype=np.float32)
    points[:, :2] = stroke.segments.reshape(-1, 2)
    content: Any = {"pos": points}  # its stub knows sequences only
    return LineBatch(batch_for_shader(_shader(), "LINES", content), colour, stroke.width)


def _shader() -> gpu.types.GPUShader:
    return gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")


def is_enabled(manager: bpy.types.WindowManager) -> bool:
    """Whether the artist wants an overlay."""
    return bool(getattr(manager, OVERLAY))


def enabled_parts(manager: bpy.types.WindowManager) -> set[str]:
    """Which of PARTS the artist wants of it."""
    parts: set[str] = getattr(manager, OVERLAY_PARTS)
    return parts


def draw(drawing: Drawing, frame: Rectangle) -> None:
    """Draw over a frame what the artist wants to see of it."""
    manager = window_manager()
    if not is_enabled(manager):
        return
    parts, scale = enabled_parts(manager), bpy.context.preferences.system.ui_scale
    lines = [*(drawing.targets if "TARGETS" in parts else ()), *(drawing.achieved if "ACHIEVED" in parts else ())]
    left, top, right, bottom = frame
    gpu.state.blend_set("ALPHA")
    with own_matrix():
        gpu.matrix.translate((left, top))
        gpu.matrix.scale((right - left, bottom - top))
        for line in lines:
            _stroke(line, DARK, (line.width + EDGE) * scale)
        for line in lines:
            _stroke(line, line.colour, line.width * scale)
    if "WORDS" in parts:
        _draw_labels(drawing, frame, scale)
    gpu.state.blend_set("NONE")


def _viewport() -> tuple[int, int, int, int]:
    """Left, bottom, width and height in pixels."""
    viewport_get: Callable[[], Any] = gpu.state.viewport_get  # its stub says that it returns nothing
    left, bottom, width, height = viewport_get()
    return left, bottom, width, height


def _stroke(line: LineBatch, colour: Rgba, width: float) -> None:
    shader = _shader()
    shader.bind()
    shader.uniform_float("viewportSize", _viewport()[2:])
    shader.uniform_float("lineWidth", width)
    shader.uniform_float("color", colour)
    line.batch.draw(shader)


def _draw_labels(drawing: Drawing, frame: Rectangle, scale: float) -> None:
    """Labels on dark plates, each under its region's middle; one that would lie on another moves down."""
    blf.size(0, LETTERS * scale)
    plates: list[Rectangle] = []
    for label, colour in drawing.labels:
        plates.append(_plate(label, frame, scale, plates))
        left, top, right, bottom = plates[-1]
        fill(Bounds(left, bottom, right, top), PLATE)
        write(TextLine(label.text, left + MARGIN * scale, bottom + MARGIN * scale, LETTERS * scale, colour))


def _plate(label: Label, frame: Rectangle, scale: float, earlier: Sequence[Rectangle]) -> Rectangle:
    left, top, right, bottom = frame
    wide, high = (side / 2 + MARGIN * scale for side in (blf.dimensions(0, label.text)[0], LETTERS * scale * 0.75))
    x, y = left + label.position[0] * (right - left), top + label.position[1] * (bottom - top)
    x = max(left + wide, min(x, right - wide))
    for other in sorted(earlier, key=lambda plate: -plate[1]):
        beside = other[0] > x + wide or other[2] < x - wide
        if not beside and other[3] < y + high and y - high < other[1]:
            y = other[3] - high - 1.0
    return x - wide, y + high, x + wide, y - high
