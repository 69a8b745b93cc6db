# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn flat into a region: rectangles, pictures and words, at its pixels."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from math import cos, sin, tau
from typing import Any, NamedTuple

import blf
import gpu
from gpu_extras.batch import batch_for_shader

from .sheet_layout import Bounds, Part

Rgba = tuple[float, float, float, float]

UNIT = ((0, 0), (1, 0), (0, 1), (1, 1))  # a rectangle's corners, as a strip of triangles
STAR = (
    (0.5, 0.5),
    *(
        (0.5 + radius * sin(turn * tau / 10), 0.5 + radius * cos(turn * tau / 10))
        for turn, radius in enumerate((0.5, 0.2) * 5)
    ),
)
STAR_TRIANGLES = tuple((0, 1 + turn, 1 + (turn + 1) % 10) for turn in range(10))


class TextLine(NamedTuple):
    """Words from a point on, which stands at the foot of the first letter."""

    text: str
    x: float
    y: float
    size: float
    colour: Rgba


def own_matrix() -> AbstractContextManager[None]:
    """A matrix that is as it was at the end."""
    push_pop: Callable[[], Any] = gpu.matrix.push_pop  # its stub says that it returns nothing
    context: AbstractContextManager[None] = push_pop()
    return context


def fill(bounds: Bounds, colour: Rgba) -> None:
    """A rectangle of one colour."""
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    batch = batch_for_shader(shader, "TRI_STRIP", {"pos": UNIT})
    shader.bind()
    shader.uniform_float("color", colour)
    _draw(batch, shader, bounds)


def star(bounds: Bounds, colour: Rgba) -> None:
    """A star with five points. As a letter it would have Blender load another font for 40 ms."""
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    batch = batch_for_shader(shader, "TRIS", {"pos": STAR}, indices=STAR_TRIANGLES)
    shader.bind()
    shader.uniform_float("color", colour)
    _draw(batch, shader, bounds)


def outline(bounds: Bounds, colour: Rgba, width: float) -> None:
    """The border of a rectangle, ``width`` pixels wide and outside it."""
    left, bottom, right, top = bounds
    for edge in (
        Bounds(left - width, bottom - width, right + width, bottom),
        Bounds(left - width, top, right + width, top + width),
        Bounds(left - width, bottom, left, top),
        Bounds(right, bottom, right + width, top),
    ):
        fill(edge, colour)


def picture(texture: gpu.types.GPUTexture, part: Part, opacity: float = 1.0) -> None:
    """A part of a picture, in its place; below 1, what is under it shows through where it is blended."""
    shader = gpu.shader.from_builtin("IMAGE_COLOR" if opacity < 1.0 else "IMAGE")
    corners = ((part.start, 0.0), (part.end, 0.0), (part.start, 1.0), (part.end, 1.0))
    batch = batch_for_shader(shader, "TRI_STRIP", {"pos": UNIT, "texCoord": corners})
    shader.bind()
    shader.uniform_sampler("image", texture)
    if opacity < 1.0:
        shader.uniform_float("color", (1.0, 1.0, 1.0, opacity))
    _draw(batch, shader, part.bounds)


def write(words: TextLine) -> None:
    """Draw words."""
    blf.size(0, words.size)
    blf.color(0, *words.colour)
    blf.position(0, words.x, words.y, 0.0)
    blf.draw(0, words.text)


def fitting(text: str, size: float, width: float) -> str:
    """As much of the words as fits into that width, and a sign where some of it does not."""
    blf.size(0, size)
    if blf.dimensions(0, text)[0] <= width:
        return text
    while text and blf.dimensions(0, f"{text}…")[0] > width:
        text = text[:-1]
    return f"{text.rstrip(' ·')}…" if text else ""


def wide(text: str, size: float) -> float:
    """The width of words."""
    blf.size(0, size)
    return float(blf.dimensions(0, text)[0])


def _draw(batch: gpu.types.GPUBatch, shader: gpu.types.GPUShader, bounds: Bounds) -> None:
    with own_matrix():
        gpu.matrix.translate((bounds.left, bounds.bottom))
        gpu.matrix.scale((bounds.width, bounds.height))
        batch.draw(shader)
