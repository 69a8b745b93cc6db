# SPDX-License-Identifier: GPL-3.0-or-later
"""UVs for surfaces that have none to bake over, in slices: connected faces that look the same way lie flat together,
as charts, packed side by side. numpy, no bpy."""

from dataclasses import dataclass

import numpy as np

from ..cooperative import Slices
from ..raster.triangles import PIECE, Bools, Floats, Indices, Ints, Singles

DIRECTIONS = 6  # along the axes, there and back
HALVINGS = 12  # of what is not known yet of the largest scale
TEXEL = 1.0  # a chart's sides at least


@dataclass(frozen=True, eq=False)
class Faces:
    """``points`` (p, 3); ``vertices`` (c,), which of them are at the corners of one face after another; ``starts``
    (n,), at which of those corners each face begins, ``of`` (c,), which face each corner is of; ``normals`` (n, 3)."""

    points: Singles
    vertices: Indices
    starts: Ints
    of: Indices
    normals: Singles


def unwrapped(faces: Faces, side: int, margin: int) -> Slices[Singles]:
    """UVs (c, 2) of every corner, in 0..1 of an image of ``side`` texels, ``margin`` of them around each chart.

    All charts have one scale, the largest that fits. Raises ValueError where
    their margins alone fill the image.
    """
    axis, turned = yield from _directions(faces.normals)
    chart = yield from charts(faces, 2 * axis + turned)
    flat, number = np.empty((len(faces.of), 2), np.float32), int(chart.max(initial=-1)) + 1
    low, high = np.full((number, 2), np.inf), np.full((number, 2), -np.inf)
    for begin in range(0, len(flat), PIECE):
        some = slice(begin, begin + PIECE)
        of = faces.of[some]
        flat[some] = _flat(faces.points[faces.vertices[some]], axis[of], turned[of])
        np.minimum.at(low, chart[of], flat[some])
        np.maximum.at(high, chart[of], flat[some])
        yield
    origin, scale = yield from _packed(high - low, side, margin)
    for begin in range(0, len(flat), PIECE):
        some = slice(begin, begin + PIECE)
        of = chart[faces.of[some]]
        flat[some] = ((flat[some] - low[of]) * scale + origin[of]) / side
        yield
    return flat


def charts(faces: Faces, directions: Ints) -> Slices[Ints]:
    """The chart of each face (n,), from 0: faces are of one when they share a point and look in one direction."""
    count = DIRECTIONS * len(faces.points)
    nodes = np.empty(len(faces.of), np.int64)  # a point, once a direction
    for begin in range(0, len(nodes), PIECE):
        some = slice(begin, begin + PIECE)
        nodes[some] = directions[faces.of[some]] * len(faces.points) + faces.vertices[some]
        yield
    root = yield from _joined(nodes[faces.starts], faces.of, nodes, count)
    names, chart = np.zeros(count, np.int64), np.empty(len(faces.starts), np.int64)
    number = 0
    for begin in range(0, len(chart), PIECE):
        roots = root[nodes[faces.starts[begin : begin + PIECE]]]
        fresh = np.unique(roots[names[roots] == 0])
        names[fresh] = np.arange(number + 1, number + 1 + len(fresh))
        number += len(fresh)
        chart[begin : begin + PIECE] = names[roots] - 1
        yield
    return chart


def _directions(normals: Singles) -> Slices[tuple[Ints, Bools]]:
    """The axis along which each face looks most, and whether it looks back along it."""
    axis, turned = np.empty(len(normals), np.int64), np.empty(len(normals), bool)
    for begin in range(0, len(normals), PIECE):
        some = slice(begin, begin + PIECE)
        axis[some] = np.abs(normals[some]).argmax(1)
        turned[some] = np.take_along_axis(normals[some], axis[some, None], 1)[:, 0] < 0.0
        yield
    return axis, turned


def _joined(heads: Ints, of: Indices, nodes: Ints, count: int) -> Slices[Ints]:
    """The least node that each is connected to by faces, whose first corners' nodes are ``heads``. Roots hook onto
    lesser ones, and trees are flattened, until nothing changes (Shiloach and Vishkin, 1982)."""
    root = np.arange(count)
    changed = True
    while changed:
        changed = False
        for begin in range(0, len(nodes), PIECE):
            some = slice(begin, begin + PIECE)
            one, other = root[heads[of[some]]], root[nodes[some]]
            apart = np.flatnonzero(one != other)
            if len(apart):
                changed = True
                high, low = np.maximum(one, other)[apart], np.minimum(one, other)[apart]
                order = np.argsort(-low, kind="stable")  # of several for one root, the least is written last
                root[high[order]] = np.minimum(low, root[high])[order]
            yield
        yield from _flatten(root)
    return root


def _flatten(root: Ints) -> Slices[None]:
    """Have every node point at its tree's root, in place."""
    flat = False
    while not flat:
        flat = True
        for begin in range(0, len(root), PIECE):
            some = slice(begin, begin + PIECE)
            beyond = root[root[some]]
            flat = flat and bool((beyond == root[some]).all())
            root[some] = beyond
            yield


def _flat(points: Singles, axis: Ints, turned: Bools) -> Singles:
    """Points (c, 3) as they are seen along an axis each; from behind, where that is turned."""
    across = np.stack([(axis + 1) % 3, (axis + 2) % 3], axis=1)
    flat: Singles = np.take_along_axis(points, across, 1)
    flat[turned, 0] *= -1.0
    return flat


def _packed(sizes: Floats, side: int, margin: int) -> Slices[tuple[Floats, float]]:
    """Where charts of those ``sizes`` (n, 2) begin, in texels, and the scale of all of them. Raises ValueError."""
    order = np.argsort(-sizes[:, 1], kind="stable")
    scale, far = 0.0, side / max(float(sizes.max(initial=0.0)), 1e-30)
    origin = _rows(sizes, order, 0.0, side, margin)
    if origin is None:
        raise ValueError(f"{len(sizes)} charts do not fit into {side} texels a side")
    for _ in range(HALVINGS):
        middle = (scale + far) / 2
        fitting = _rows(sizes, order, middle, side, margin)
        yield
        if fitting is None:
            far = middle
        else:
            scale, origin = middle, fitting
    return origin, scale


def _rows(sizes: Floats, order: Ints, scale: float, side: int, margin: int) -> Floats | None:
    """Where charts begin that stand in rows, the highest first; None where they do not fit."""
    boxes = np.ceil(np.maximum(sizes[order] * scale, TEXEL)) + 2 * margin
    if boxes.prod(axis=1).sum() > side * side or (boxes > side).any():
        return None
    origin, x, y, high = np.empty_like(sizes), 0.0, 0.0, 0.0
    for index, (width, height) in zip(order.tolist(), boxes.tolist(), strict=True):
        if x + width > side:
            x, y, high = 0.0, y + high, 0.0
        high = max(high, height)
        if y + high > side:
            return None
        origin[index] = x + margin, y + margin
        x += width
    return origin
