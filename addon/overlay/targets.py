# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the regions are in the artist's frame, quickly and in slices: what a live overlay shows. numpy, no bpy.

A capture for a request is exact, and refuses what cannot be painted. Here nothing is refused, and the work is cut into
pieces so small that the artist's hand is never held up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..capture.masks import cells, framed, region_mask
from ..cooperative import Slices
from ..protocol.blockout import Blockout, Region
from ..raster.frustum import Frustum
from ..raster.instances import MeshInstances, camera_triangles
from ..raster.lens import Lens
from ..raster.rasterise import Raster, coverage, rasterising
from ..raster.triangles import Floats
from ..request.phrases import Mark

SAMPLES = 2  # along a side of a cell


@dataclass(frozen=True, eq=False)
class Target:
    """Where a region is to be: ``mask`` (height, width) of 0..255 over the frame; None where nothing of it is seen.

    ``outlined`` says whether its outline is asked for, and not its place and size alone.
    """

    name: str
    phrase: str
    mask: NDArray[np.uint8] | None
    centroid: tuple[float, float] | None
    outlined: bool = True


def drawn(parts: Sequence[MeshInstances], pose: Floats, lens: Lens, aspect: float, count: int = 0) -> Slices[Raster]:
    """The parts in the frame, with footprints of the owners 0 .. ``count`` - 1."""
    triangles = yield from camera_triangles(parts, pose, Frustum(lens, *cells(aspect), count))
    width, height = (side * SAMPLES for side in cells(aspect))
    picture = yield from rasterising(triangles, lens, width, height, count)
    return picture


def targets(marks: Sequence[Mark], picture: Raster) -> list[Target]:
    """What of each mark the finished frame shows; owners index the marks."""
    return [_target(mark.name, mark.phrase, picture.owners == index) for index, mark in enumerate(marks)]


def requested(region: Region, blockout: Blockout) -> Target:
    """What a request asked of a region, as far as it lies in the frame."""
    mask, outlined = framed(region_mask(region), blockout), "shape" in region.enforce
    return Target(region.name, region.phrase, mask, region.centroid, outlined)


def _target(name: str, phrase: str, visible: NDArray[np.bool_]) -> Target:
    if not visible.any():
        return Target(name, phrase, None, None)
    height, width = visible.shape
    columns, rows = visible.sum(0), visible.sum(1)
    x = float(columns @ (np.arange(width) + 0.5)) / float(columns.sum()) / width
    y = float(rows @ (np.arange(height) + 0.5)) / float(rows.sum()) / height
    return Target(name, phrase, coverage(visible, SAMPLES), (x, y))
