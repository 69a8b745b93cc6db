# SPDX-License-Identifier: GPL-3.0-or-later
"""What stacked projections show at points of a surface, painted over its UVs, in slices. numpy, no bpy.

The same maths as the shaders of ``node_groups``, which see one point at a time; here are many.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..camera.view import View
from ..cooperative import Slices
from ..protocol.png import RGB, SIGNATURE, chunk
from ..raster.scanlines import expand, pieces, spans
from ..raster.triangles import Bools, Floats, Ints, Singles

TOLERANCE, COARSE, FINE, FEATHER, TINY = 1e-3, 0.1, 0.6, 0.25, 1e-9  # those of the shaders
MARGIN = 8  # texels around each island
TEXELS = 1 << 12  # at once, some milliseconds' work
LINES = 32  # at once
TRIANGLES = 1 << 12  # at once


@dataclass(frozen=True, eq=False)
class BakedView:
    """A projected ``picture`` (h, w, 3), its rows from the bottom, and the ``depth`` (h, w) of what ``view`` saw."""

    view: View
    picture: Singles
    depth: Singles


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles in the world: ``points``, ``normals`` (n, 3, 3) at their corners, ``uvs`` (n, 3, 2) in 0..1, and the
    colour ``under`` (n, 3) what is projected."""

    points: Floats
    normals: Floats
    uvs: Floats
    under: Floats


def baked(surface: Surface, views: Sequence[BakedView], side: int) -> Slices[Singles]:
    """The image (side, side, 3), rows from the bottom, of what ``views``, oldest first, show of ``surface``."""
    image = np.zeros((side, side, 3), np.float32)
    covered = np.zeros((side, side), bool)
    for first in range(0, len(surface.uvs), TRIANGLES):
        some = slice(first, first + TRIANGLES)
        corners = np.concatenate([surface.uvs[some] * side, np.zeros((*surface.uvs[some].shape[:2], 1))], axis=2)
        runs = spans(corners.transpose(2, 1, 0), side, side, 0.0)
        for piece in pieces(runs, TEXELS) if len(runs.row) else ():
            index, column = expand(piece.column.astype(np.int64), piece.length.astype(np.int64))
            row, triangle = piece.row[index], piece.source[index] + first
            weights = _weights(surface.uvs[triangle] * side, column + 0.5, row + 0.5)
            points = np.einsum("nk,nkc->nc", weights, surface.points[triangle])
            smooth = np.einsum("nk,nkc->nc", weights, surface.normals[triangle])
            image[row, column] = blended(
                views, points, _flat(surface.points[triangle]), _unit(smooth), surface.under[triangle]
            )
            covered[row, column] = True
            yield
    yield from _spread(image, covered)
    return image


def png(image: Singles) -> Slices[bytes]:
    """A PNG file of an image (height, width, 3), its rows from the bottom."""
    packer, content = zlib.compressobj(1), []
    for begin in range(0, len(image), LINES):
        rows = np.rint(image[::-1][begin : begin + LINES].clip(0.0, 1.0) * 255.0).astype(np.uint8)
        lines = np.pad(rows.reshape(len(rows), -1), ((0, 0), (1, 0)))  # a line's first byte says that it is unfiltered
        content.append(packer.compress(lines.tobytes()))
        yield
    header = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], *RGB)
    pixels = b"".join(content) + packer.flush()
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def blended(views: Sequence[BakedView], points: Floats, flat: Floats, smooth: Floats, under: Floats) -> Floats:
    """The colours (n, 3) at ``points`` with true and shading normals, all (n, 3); ``under`` where no view sees them."""
    colour, seen = np.zeros_like(points), np.zeros(len(points))
    presence, fineness = np.zeros(len(points)), np.zeros(len(points))
    for one in views:
        clip = np.column_stack([points, np.ones(len(points))]) @ (one.view.lens.projection @ one.view.pose).T
        with np.errstate(divide="ignore", invalid="ignore"):
            place = np.nan_to_num(clip[:, :2] / clip[:, 3:] * 0.5 + 0.5, nan=-1.0, posinf=-1.0, neginf=-1.0)
        distance = -(points @ one.view.pose[2, :3] + one.view.pose[2, 3])
        toward = _toward(one.view, points)
        visible = (distance < _nearest(one.depth, place) * (1 + TOLERANCE)) & (distance > 0.0)
        visible &= (flat * toward).sum(1) > 0.0
        scale = abs(float(one.view.lens.projection[0, 0]))
        dense = scale / np.maximum(distance, TINY) if one.view.lens.perspective else scale
        own = np.maximum((smooth * toward).sum(1), 0.0) * dense
        here = _smooth((0.5 - np.abs(place - 0.5).max(1)) / FEATHER)
        ahead = np.minimum((here + TINY) / (presence + TINY), 1.0)
        alone = 1.0 - np.minimum((presence + TINY) / (here + TINY), 1.0)
        advantage = _smooth((own - COARSE * fineness + TINY) / ((FINE - COARSE) * fineness + TINY))
        share = visible * (advantage * (ahead - alone) + alone)
        colour += (_between(one.picture, place) - colour) * share[:, None]
        seen = np.maximum(seen, visible)
        presence = np.maximum(presence, visible * here)
        fineness += (own - fineness) * share
    return np.where(seen[:, None] > 0.0, colour, under)


def _toward(view: View, points: Floats) -> Floats:
    camera = np.linalg.inv(view.pose)
    return _unit(camera[:3, 3] - points) if view.lens.perspective else np.broadcast_to(camera[:3, 2], points.shape)


def _nearest(image: Singles, place: Floats) -> Floats:
    """The pixel at each place; 0 outside."""
    size = np.array(image.shape[1::-1])
    pixel = np.floor(place * size).clip(-1, size).astype(np.int64)
    inside = ((pixel >= 0) & (pixel < size)).all(1)
    column, row = np.where(inside[:, None], pixel, 0).T
    values: Floats = np.where(inside, image[row, column], 0.0)
    return values


def _between(image: Singles, place: Floats) -> Floats:
    """Between the four pixels around each place; the last ones go on outside."""
    size = np.array(image.shape[1::-1])
    position = (place * size - 0.5).clip(0.0, size - 1.0)
    low = np.floor(position).astype(np.int64)
    high, share = np.minimum(low + 1, size - 1), position - low
    across, up = share[:, :1], share[:, 1:]
    below = image[low[:, 1], low[:, 0]] * (1 - across) + image[low[:, 1], high[:, 0]] * across
    above = image[high[:, 1], low[:, 0]] * (1 - across) + image[high[:, 1], high[:, 0]] * across
    mixed: Floats = below * (1 - up) + above * up
    return mixed


def _weights(corners: Floats, x: Floats, y: Floats) -> Floats:
    """Barycentric ones (n, 3) of a point in each triangle (n, 3, 2)."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    px, py = x - corners[:, 0, 0], y - corners[:, 0, 1]
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    area = np.where(np.abs(area) > TINY, area, np.inf)
    second, third = (px * b[:, 1] - py * b[:, 0]) / area, (a[:, 0] * py - a[:, 1] * px) / area
    return np.column_stack([1.0 - second - third, second, third])


def _spread(image: Singles, covered: Bools) -> Slices[None]:
    """Carry what is ``covered`` MARGIN texels on, in place: filters and smaller copies read beyond an island's edge."""
    side = len(image)
    for _ in range(MARGIN):
        before = np.pad(covered, 1)
        for begin in range(0, side, 128):
            end = min(begin + 128, side)
            for down, across in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
                beside = before[begin + 1 + down : end + 1 + down, 1 + across : side + 1 + across]
                rows, columns = np.nonzero(beside & ~covered[begin:end])
                image[rows + begin, columns] = image[rows + begin + down, columns + across]
                covered[rows + begin, columns] = True
            yield


def grid(points: Floats, normals: Floats, faces: Ints, side: int) -> Floats:
    """UVs (corners, 2) that give each face a square of its own in an image of ``side`` texels, margins between.

    ``points`` (corners, 3) are where each face's corners are, ``normals`` (faces, 3); ``faces`` says of which face
    each corner is, in order. Raises ValueError where squares would have less than 4 texels inside.
    """
    count = len(normals)
    across = int(np.ceil(np.sqrt(count)))
    cell = side // max(across, 1)
    inside = cell - 2 * MARGIN
    if inside < 4:
        raise ValueError(f"{count} faces do not fit into {side} texels a side")
    axis = np.eye(3)[np.abs(normals).argmin(1)]
    tangent = _unit(np.cross(normals, axis))
    flat = np.stack([(points * frame[faces]).sum(1) for frame in (tangent, np.cross(normals, tangent))], axis=1)
    starts = np.searchsorted(faces, np.arange(count))
    low, high = np.minimum.reduceat(flat, starts), np.maximum.reduceat(flat, starts)
    scale = inside / np.maximum((high - low).max(1), TINY)
    origin = np.stack([np.arange(count) % across, np.arange(count) // across], axis=1) * cell + MARGIN
    uvs: Floats = ((flat - low[faces]) * scale[faces, None] + origin[faces]) / side
    return uvs


def _flat(triangles: Floats) -> Floats:
    return _unit(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]))


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-30)
    return unit


def _smooth(value: Floats) -> Floats:
    """0 up to 0, 1 from 1 on, and smoothly between."""
    share = value.clip(0.0, 1.0)
    smooth: Floats = share * share * (3.0 - 2.0 * share)
    return smooth
