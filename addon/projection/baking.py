# SPDX-License-Identifier: GPL-3.0-or-later
"""What stacked projections show at points of a surface, painted over its UVs, in slices. numpy, no bpy.

The same maths as the shaders of ``node_groups``, which see one point at a time; here are many. Colours are light.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..camera.view import View
from ..cooperative import Slices
from ..raster.scanlines import Spans, expand, pieces, spans
from ..raster.triangles import Bools, Floats, Indices, Ints, Singles

TOLERANCE, COARSE, FINE, FEATHER, TINY = 1e-3, 0.1, 0.6, 0.25, 1e-9  # these and those below are the shaders'
GRAZING, SQUARE = 0.03, 0.2
MARGIN = 8  # texels around each island
TEXELS = 1 << 11  # at once, some milliseconds' work
TRIANGLES = 1 << 11  # at once
LINES = 128  # at once
OUTSIDE = 1e-3  # of the image, that UVs may lie beyond its edge
DOUBLE, LOST, USED = 0.02, 0.02, 0.05  # of texels painted twice, of the surface without any, of the image in use


@dataclass(frozen=True, eq=False)
class BakedView:
    """A projected ``picture`` (h, w, 3) as light, its rows from the bottom, and what ``view`` saw: the ``depth`` (h, w)
    and how far off silhouettes are, the ``clearance`` (h, w)."""

    view: View
    picture: Singles
    depth: Singles
    clearance: Singles


@dataclass(frozen=True, eq=False)
class Surface:
    """``points`` and shading ``normals`` (c, 3) in the world, and ``uvs`` (c, 2) in 0..1, of corners, of which
    ``triangles`` (n, 3) are; of each triangle the material (n,), and of each material its colour, ``under`` (m, 3).
    One that is not closed is looked at from both sides."""

    points: Singles
    normals: Singles
    uvs: Singles
    triangles: Indices
    materials: Indices
    under: Floats
    is_closed: bool


def baked(surface: Surface, views: Sequence[BakedView], side: int) -> Slices[Singles]:
    """The image (side, side, 3), rows from the bottom, of what ``views``, oldest first, show of ``surface``."""
    image = np.zeros((side, side, 3), np.float32)
    covered = np.zeros((side, side), bool)
    for first, piece in _painted(surface, side):
        index, column = expand(piece.column.astype(np.int64), piece.length.astype(np.int64))
        row, triangle = piece.row[index], piece.source[index] + first
        corners = surface.triangles[triangle]
        weights = _weights(surface.uvs[corners] * float(side), column + 0.5, row + 0.5)
        placed = surface.points[corners].astype(np.float64)
        points = np.einsum("nk,nkc->nc", weights, placed)
        smooth = _unit(np.einsum("nk,nkc->nc", weights, surface.normals[corners]))
        under = surface.under[surface.materials[triangle]]
        over = blend(views, points, _flat(placed, smooth), smooth, surface.is_closed)
        image[row, column] = over.colour * over.seen[:, None] + under * (1.0 - over.seen[:, None])
        covered[row, column] = True
        yield
    yield from _spread(image, covered)
    return image


def fitting(surface: Surface, side: int, used: float = USED) -> Slices[bool]:
    """Whether its UVs can be painted over: inside the image, of which they use that much at least, no two pieces in one
    place, and hardly any without one."""
    covered, painted = np.zeros((side, side), bool), 0
    for begin in range(0, len(surface.uvs), LINES * side):
        some = surface.uvs[begin : begin + LINES * side]
        if not (np.abs(some - 0.5) <= 0.5 + OUTSIDE).all():
            return False
        yield
    for _, piece in _painted(surface, side):
        index, column = expand(piece.column.astype(np.int64), piece.length.astype(np.int64))
        covered[piece.row[index], column] = True
        painted += len(column)
        yield
    distinct = int(covered.sum())
    if distinct < used * side * side or painted - distinct > DOUBLE * painted:
        return False
    whole = lost = 0.0
    for begin in range(0, len(surface.triangles), TRIANGLES):
        corners = surface.triangles[begin : begin + TRIANGLES]
        areas = _areas(surface.points[corners])
        flat = np.abs(_cross(surface.uvs[corners].astype(np.float64))) * side * side
        whole, lost = whole + float(areas.sum()), lost + float(areas[flat < 1e-3].sum())
        yield
    return lost <= LOST * whole


def _painted(surface: Surface, side: int) -> Iterator[tuple[int, Spans]]:
    """The texels inside its triangles, some at once, and the first of the triangles that their sources count from."""
    for first in range(0, len(surface.triangles), TRIANGLES):
        uvs = surface.uvs[surface.triangles[first : first + TRIANGLES]].astype(np.float64) * side
        corners = np.concatenate([uvs, np.zeros((*uvs.shape[:2], 1))], axis=2)
        runs = spans(corners.transpose(2, 1, 0), side, side, 0.0)
        for piece in pieces(runs, TEXELS) if len(runs.row) else ():
            yield first, piece


@dataclass(frozen=True, eq=False)
class Blend:
    """What stacked views show of points: the ``colour`` (n, 3) as light; how much of it is ``seen`` (n,) rather than
    what is under it; and ``fineness`` (n,), how much of its frame a piece of the surface takes up in what shows it."""

    colour: Floats
    seen: Floats
    fineness: Floats


def blend(views: Sequence[BakedView], points: Floats, flat: Floats, smooth: Floats, one_sided: bool = True) -> Blend:
    """What ``views``, oldest first, show at ``points`` with true and shading normals, all (n, 3)."""
    colour, seen = np.zeros_like(points), np.zeros(len(points))
    presence, fine = np.zeros(len(points)), np.zeros(len(points))
    for one in views:
        some = np.flatnonzero((flat * toward(one.view, points)).sum(1) > 0.0) if one_sided else slice(None)
        position, visible, here, own = _seen(one, points[some], flat[some], smooth[some], one_sided)
        ahead = np.minimum((here + TINY) / (presence[some] + TINY), 1.0)
        alone = 1.0 - np.minimum((presence[some] + TINY) / (here + TINY), 1.0)
        advantage = _smooth((own - COARSE * fine[some] + TINY) / ((FINE - COARSE) * fine[some] + TINY))
        visibly = np.minimum((visible + TINY) / (seen[some] + TINY), 1.0) * (visible > 0.0)
        share = visibly * (advantage * (ahead - alone) + alone)
        colour[some] += (_between(one.picture, position) - colour[some]) * share[:, None]
        seen[some] = np.maximum(seen[some], visible)
        presence[some] = np.maximum(presence[some], visible * here)
        fine[some] += (own - fine[some]) * share
    return Blend(colour, seen, fine)


def _seen(
    one: BakedView, points: Floats, flat: Floats, smooth: Floats, one_sided: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """Where in a view's frame points are (n, 2), and how visible, how present and how fine (n,) each is in it."""
    view, clip = one.view, _placed(one.view.lens.projection @ one.view.pose, points)
    with np.errstate(divide="ignore", invalid="ignore"):
        position = np.nan_to_num(clip[:, :2] / clip[:, 3:] * 0.5 + 0.5, nan=-1.0, posinf=-1.0, neginf=-1.0)
    distance, way = -_placed(view.pose, points)[:, 2], toward(view, points)
    facing, square = (smooth * way).sum(1), (flat * way).sum(1)
    if not one_sided:
        facing, square = facing * np.sign(square), np.abs(square)
    inside = 0.5 - np.abs(position - 0.5).max(1)
    visible = _nearest(one.depth, position, distance) * ((inside > 0.0) & (distance > 0.0) & (square > 0.0))
    visible *= np.maximum(_smooth(facing / GRAZING), _smooth(square / SQUARE))
    here = _smooth(inside / FEATHER) * _smooth(_between(one.clearance, position))
    return position, visible, here, fineness(view, distance, facing)


def fineness(view: View, distance: Floats, facing: Floats) -> Floats:
    """How much of a view's frame pieces of a surface take up, (n,), that far away and with such cosines to it."""
    scale = abs(float(view.lens.projection[0, 0]))
    dense = scale / np.maximum(distance, TINY) if view.lens.perspective else scale
    return np.maximum(facing, 0.0) * dense


def _placed(matrix: Floats, points: Floats) -> Floats:
    placed: Floats = points @ matrix[:, :3].T + matrix[:, 3]
    return placed


def toward(view: View, points: Floats) -> Floats:
    """The way from points to a view's camera, (n, 3), of length 1."""
    camera = np.linalg.inv(view.pose)
    return _unit(camera[:3, 3] - points) if view.lens.perspective else np.broadcast_to(camera[:3, 2], points.shape)


def _nearest(depth: Singles, position: Floats, distance: Floats) -> Floats:
    """1 where nothing is nearer, asked of the four pixels around each position, and between their answers."""
    low, high, share = _pixels(depth, position)
    answers = [
        [distance < depth[row, column] * (1 + TOLERANCE) for column in (low[:, 0], high[:, 0])]
        for row in (low[:, 1], high[:, 1])
    ]
    across, up = share.T
    below, above = (one * (1 - across) + other * across for one, other in answers)
    mixed: Floats = below * (1 - up) + above * up
    return mixed


def _between(image: Singles, position: Floats) -> Floats:
    """Between the four pixels around each position."""
    low, high, share = _pixels(image, position)
    across, up = (one.reshape(-1, *(1,) * (image.ndim - 2)) for one in share.T)
    below = image[low[:, 1], low[:, 0]] * (1 - across) + image[low[:, 1], high[:, 0]] * across
    above = image[high[:, 1], low[:, 0]] * (1 - across) + image[high[:, 1], high[:, 0]] * across
    mixed: Floats = below * (1 - up) + above * up
    return mixed


def _pixels(image: Singles, position: Floats) -> tuple[Ints, Ints, Floats]:
    """The column and row (n, 2) of the pixels before and after each position, and how far it is from one to the other;
    outside it is as at the edge."""
    size = np.array(image.shape[1::-1])
    exact = (position * size - 0.5).clip(0.0, size - 1.0)
    low = np.floor(exact).astype(np.int64)
    return low, np.minimum(low + 1, size - 1), exact - low


def _weights(corners: Floats, x: Floats, y: Floats) -> Floats:
    """Barycentric ones (n, 3) of a point in each triangle (n, 3, 2)."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    px, py = x - corners[:, 0, 0], y - corners[:, 0, 1]
    area = _cross(corners)
    area = np.where(np.abs(area) > TINY, area, np.inf)
    second, third = (px * b[:, 1] - py * b[:, 0]) / area, (a[:, 0] * py - a[:, 1] * px) / area
    return np.column_stack([1.0 - second - third, second, third])


def _spread(image: Singles, covered: Bools) -> Slices[None]:
    """Carry what is ``covered`` MARGIN texels on, in place: filters and smaller copies read beyond an island's edge."""
    side = len(image)
    for _ in range(MARGIN):
        before = np.pad(covered, 1)
        for begin in range(0, side, LINES):
            end = min(begin + LINES, side)
            if not before[begin : end + 2].any() or covered[begin:end].all():
                continue
            for down, across in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
                beside = before[begin + 1 + down : end + 1 + down, 1 + across : side + 1 + across]
                rows, columns = np.nonzero(beside & ~covered[begin:end])
                image[rows + begin, columns] = image[rows + begin + down, columns + across]
                covered[rows + begin, columns] = True
            yield


def _cross(corners: Floats) -> Floats:
    """Twice the signed areas of flat triangles (n, 3, 2)."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    doubled: Floats = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return doubled


def _areas(triangles: Singles) -> Floats:
    sides = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    areas: Floats = np.linalg.norm(sides, axis=1)
    return areas


def _flat(triangles: Floats, smooth: Floats) -> Floats:
    """Their true normals, on the side where the shading ones point: mirrored objects turn their triangles round."""
    normals = _unit(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]))
    outward: Floats = normals * np.where((normals * smooth).sum(1) < 0.0, -1.0, 1.0)[:, None]
    return outward


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-30)
    return unit


def _smooth(value: Floats) -> Floats:
    """0 up to 0, 1 from 1 on, and smoothly between."""
    share = value.clip(0.0, 1.0)
    smooth: Floats = share * share * (3.0 - 2.0 * share)
    return smooth
