# SPDX-License-Identifier: GPL-3.0-or-later
"""Region masks of a blockout, enlarged to the camera's frame for drawing. numpy, no bpy."""

import numpy as np
from numpy.typing import NDArray

from ..protocol.blockout import Blockout, Region, mask_rows
from ..raster.triangles import Floats, Ints

SIDE = 192  # cells along the longer side of the frame


def cells(aspect: float) -> tuple[int, int]:
    """Columns and rows of the frame's grid."""
    return (SIDE, max(1, round(SIDE / aspect))) if aspect >= 1.0 else (max(1, round(SIDE * aspect)), SIDE)


def region_mask(region: Region) -> NDArray[np.uint8]:
    """A region's mask on its own grid."""
    return np.asarray(mask_rows(region.mask))


def framed(mask: NDArray[np.uint8], blockout: Blockout) -> NDArray[np.uint8]:
    """A mask of the whole picture, resampled (bilinearly, at cell centres) to the frame's own grid."""
    frame = blockout.frame
    columns, rows = cells(frame.width / frame.height)
    x = _neighbours(columns, frame.left / blockout.width, frame.width / blockout.width, mask.shape[1])
    y = _neighbours(rows, frame.top / blockout.height, frame.height / blockout.height, mask.shape[0])
    across = _blend(mask.astype(np.float64), *x, axis=1)
    resampled: NDArray[np.uint8] = np.rint(_blend(across, *y, axis=0)).astype(np.uint8)
    return resampled


def _neighbours(number: int, start: float, length: float, cells: int) -> tuple[Ints, Ints, Floats]:
    """For cell centres of a stretch of a grid: the two cells between whose centres each lies, and how far along."""
    at = (start + (np.arange(number) + 0.5) / number * length) * cells - 0.5
    low = np.clip(np.floor(at).astype(np.int64), 0, cells - 1)
    return low, np.minimum(low + 1, cells - 1), np.clip(at - low, 0.0, 1.0)


def _blend(grid: Floats, low: Ints, high: Ints, part: Floats, axis: int) -> Floats:
    weight = part if axis == 1 else part[:, None]
    blended: Floats = np.take(grid, low, axis) * (1.0 - weight) + np.take(grid, high, axis) * weight
    return blended
