# SPDX-License-Identifier: GPL-3.0-or-later
"""What stacked projections show of a scene from elsewhere, as a picture, in slices. numpy, no bpy.

Another view that is painted is told so what the earlier ones show of it already.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..camera.view import View
from ..cooperative import Slices
from ..raster.frustum import Frustum
from ..raster.instances import MeshInstances, camera_triangles
from ..raster.rasterise import Raster, rasterising
from ..raster.triangles import Bools, Floats, Singles
from .baking import BakedView, blend, fineness, toward

LINES = 8  # at once
WORTH = 0.25  # of the fineness that a view itself would show: what is coarser is better painted anew


@dataclass(frozen=True, eq=False)
class Shown:
    """The ``light`` (height, width, 3) of a picture whose rows run from the top, and where it shows anything, ``seen``
    (height, width)."""

    light: Singles
    seen: Bools


def shown(
    instances: Sequence[MeshInstances], view: View, views: Sequence[Sequence[BakedView]], width: int, height: int
) -> Slices[Shown]:
    """What ``view`` sees of ``views``, oldest first, of which each owner of ``instances`` has its own; NOTHING has
    none."""
    frustum = Frustum(view.lens, width, height, count=sys.maxsize)
    triangles = yield from camera_triangles(instances, view.pose, frustum)
    raster = yield from rasterising(triangles, view.lens, width, height)
    points = yield from _points(raster, view)
    light, seen = np.zeros((height, width, 3), np.float32), np.zeros((height, width), bool)
    back = np.linalg.inv(view.pose)
    for begin in range(0, height, LINES):
        lines = slice(begin, begin + LINES)
        normals = _normals(points, begin, min(begin + LINES, height), view)
        for owner, own in enumerate(views):
            row, column = np.nonzero(raster.owners[lines] == owner)
            if not len(row) or not own:
                continue
            there = points[lines][row, column]
            placed = there @ back[:3, :3].T + back[:3, 3]
            normal = _unit(normals[row, column] @ view.pose[:3, :3])
            over = blend(own, placed, normal, normal)
            new = fineness(view, -there[:, 2], (normal * toward(view, placed)).sum(1))
            light[row + begin, column] = over.colour
            seen[row + begin, column] = (over.seen > 0.5) & (over.fineness >= WORTH * new)
        yield
    return Shown(light, seen)


def _points(raster: Raster, view: View) -> Slices[Floats]:
    """What each pixel sees, (height, width, 3), in camera space; not finite where that is nothing."""
    height, width = raster.owners.shape
    points = np.empty((height, width, 3))
    matrix = view.lens.projection
    across = (np.arange(width) + 0.5) / width * 2.0 - 1.0
    for begin in range(0, height, LINES):
        lines = slice(begin, begin + LINES)
        down = 1.0 - (np.arange(begin, min(begin + LINES, height)) + 0.5) / height * 2.0
        with np.errstate(divide="ignore", invalid="ignore"):
            z = -1.0 / raster.nearness[lines].astype(np.float64)
            w = matrix[3, 2] * z + matrix[3, 3]
            points[lines, :, 0] = (across * w - matrix[0, 2] * z - matrix[0, 3]) / matrix[0, 0]
            points[lines, :, 1] = (down[:, None] * w - matrix[1, 2] * z - matrix[1, 3]) / matrix[1, 1]
        points[lines, :, 2] = z
        yield
    return points


def _normals(points: Floats, begin: int, end: int, view: View) -> Floats:
    """Those of the lines, towards the camera, from the nearer neighbours in depth: across a silhouette there is no
    surface."""
    top, bottom = max(begin - 1, 0), min(end + 1, len(points))
    with np.errstate(invalid="ignore"):
        down = _slopes(points[top:bottom])[begin - top : end - top]
        across = _slopes(points[begin:end].transpose(1, 0, 2)).transpose(1, 0, 2)
        normals = _unit(np.cross(across, down))
        away = (normals * points[begin:end]).sum(2) > 0.0 if view.lens.perspective else normals[..., 2] < 0.0
    normals[away] *= -1.0
    return np.nan_to_num(normals)


def _slopes(points: Floats) -> Floats:
    """From each to one of its neighbours before and after it, whichever is less far in depth."""
    steps = np.diff(points, axis=0)
    before, after = np.concatenate([steps[:1], steps]), np.concatenate([steps, steps[-1:]])
    gaps = [np.where(np.isfinite(side[..., 2]), np.abs(side[..., 2]), np.inf) for side in (before, after)]
    slopes: Floats = np.where((gaps[0] < gaps[1])[..., None], before, after)
    return slopes


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-30)
    return unit
