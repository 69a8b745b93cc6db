# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles on a grid of pixels cut into spans: runs of pixel centres in one row. numpy, no bpy.

Spans are half open, so that two triangles sharing an edge cover each pixel centre exactly once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .triangles import Floats, Indices, Ints

SLIVER = 1e-6  # square pixels, twice the area under which a triangle has no slope worth knowing


@dataclass(frozen=True, eq=False)
class Spans:
    """Runs of ``length`` pixels from the one in ``row`` and ``column``, each inside the triangle ``source``.

    ``value`` is the triangle's at the centre of the first pixel, and grows by ``slope`` a pixel.
    """

    row: Ints
    column: Indices
    length: Indices
    source: Ints
    value: Floats
    slope: Floats


def pieces(spans: Spans, pixels: int) -> Iterator[Spans]:
    """The spans again, in pieces that end with the span that brings ``pixels`` about: one triangle may be enormous."""
    ends = np.cumsum(spans.length, dtype=np.int64) // pixels
    bounds = [0, *(np.flatnonzero(np.diff(ends)) + 1).tolist(), len(ends)]
    for begin, end in pairwise(bounds):
        some = slice(begin, end)
        yield Spans(
            spans.row[some],
            spans.column[some],
            spans.length[some],
            spans.source[some],
            spans.value[some],
            spans.slope[some],
        )


def spans(corners: Floats, width: int, height: int, stagger: float) -> Spans:
    """The spans of triangles of whose three corners ``corners`` (3, 3, n) has columns, rows and values.

    Each triangle is cut in two at the row of its middle corner: either half lies between two edges.
    """
    x, y, _ = corners
    (x0, y0), (x1, y1), (x2, y2) = _downwards(x, y)
    top, middle, bottom = (centre(rows, height) for rows in (y0, y1, y2))
    half, row = expand(np.concatenate([top, middle]), np.concatenate([middle - top, bottom - middle]))
    line = row.astype(np.float64)
    far, far_lean = (np.tile(side, 2) for side in _edge(x0, y0, x2, y2))
    near, near_lean = (np.concatenate(pair) for pair in zip(_edge(x0, y0, x1, y1), _edge(x1, y1, x2, y2), strict=True))
    first, second = far_lean[half] * line + far[half], near_lean[half] * line + near[half]
    aside = np.array([stagger, -stagger])[row & 1]
    start, stop = centre(np.minimum(first, second) - aside, width), centre(np.maximum(first, second) - aside, width)
    filled = np.flatnonzero(stop > start)
    row, start, source = row[filled], start[filled], half[filled]
    source -= len(top) * (source >= len(top))
    across, down, offset = _plane(corners)
    slope = across[source]
    value = slope * (start + (aside[filled] + 0.5)) + (down[source] * line[filled] + offset[source])
    return Spans(row, start, stop[filled] - start, source, value, slope)


def centre(position: Floats, side: int) -> Indices:
    """The first pixel whose centre is not before ``position``, 0 .. side."""
    pixel: Indices = np.minimum(np.maximum(np.ceil(position - 0.5), 0.0), side).astype(np.int32)
    return pixel


def _edge(x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> tuple[Floats, Floats]:
    """Where edges that run down cross the centres of row 0, and how far they lean in a row. An edge runs down in both
    its triangles, which then compute the very same crossing."""
    rise = y1 - y0
    lean: Floats = (x1 - x0) / np.where(rise > 0.0, rise, 1.0)
    return x0 + (0.5 - y0) * lean, lean


def _downwards(x: Floats, y: Floats) -> list[tuple[Floats, Floats]]:
    """The three corners from the top of the picture to its bottom."""
    corners = [(x[k], y[k]) for k in range(3)]
    for upper, lower in ((0, 1), (1, 2), (0, 1)):
        (xa, ya), (xb, yb) = corners[upper], corners[lower]
        swap = ya > yb
        corners[upper] = np.where(swap, xb, xa), np.minimum(ya, yb)
        corners[lower] = np.where(swap, xa, xb), np.maximum(ya, yb)
    return corners


def _plane(corners: Floats) -> tuple[Floats, Floats, Floats]:
    """Slope across and down, and the value at the edge of row 0, of the affine function with the corners' values; flat
    for slivers."""
    (ax, ay, av), (bx, by, bv) = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = ax * by - ay * bx
    scale = 1.0 / np.where(np.abs(area) > SLIVER, area, np.inf)
    across, down = (av * by - bv * ay) * scale, (bv * ax - av * bx) * scale
    x, y, value = corners[:, 0]
    return across, down, value - across * x - down * (y - 0.5)


def expand(start: Ints, count: Ints) -> tuple[Ints, Ints]:
    """For each i the numbers start[i] .. start[i] + count[i] - 1: the i's, and the numbers."""
    index = np.repeat(np.arange(len(count)), count)
    shift = start - (np.cumsum(count) - count)
    return index, np.arange(len(index)) + shift[index]
