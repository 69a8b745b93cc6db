# SPDX-License-Identifier: MIT
"""What a ControlNet looks at: the blocking as a picture of its depth or of its edges, as such networks learn them.

Depth is white where it is nearest, black where nothing is. Edges are white lines, one pixel wide, around each region
and wherever what is seen steps back.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from addon.protocol.blockout import Blockout, Mask, Region, mask_rows

STEP = 10  # of 255 shades of nearness between neighbours, beyond what the slopes beside it explain
Shades = NDArray[np.uint8]
PixelLines = NDArray[np.bool_]


def control_picture(blockout: Blockout) -> Shades:
    """(height, width) of the whole picture, 0 to 255, of the kind that its ControlNet looks at."""
    assert blockout.control is not None, "it is asked for"
    return edges(blockout) if blockout.control.kind == "edges" else depth(blockout)


def depth(blockout: Blockout) -> Shades:
    """As the request says it; where it does not, its regions behind each other in even steps."""
    size = (blockout.width, blockout.height)
    known = blockout.control.depth if blockout.control is not None else None
    if known is not None:
        return enlarged(known, size)
    picture = np.zeros(size[::-1], np.float32)
    farthest_first = sorted(blockout.regions, key=lambda region: -region.depth)
    for rank, region in enumerate(farthest_first, 1):
        cover = enlarged(region.mask, size) / np.float32(255)
        picture += cover * (255 * rank / len(farthest_first) - picture)
    return np.rint(picture).astype(np.uint8)


def edges(blockout: Blockout) -> Shades:
    """Outlines of regions, the nearest before the others, and steps of depth where it is known."""
    size = (blockout.width, blockout.height)
    lines = borders(owners(blockout.regions, size))
    known = blockout.control.depth if blockout.control is not None else None
    if known is not None:
        lines |= steps(np.asarray(mask_rows(known)), size)
    return np.where(lines, np.uint8(255), np.uint8(0))


def owners(regions: Sequence[Region], size: tuple[int, int]) -> NDArray[np.int32]:
    """Which region each pixel is of, -1 for none; (height, width) of a ``size`` that is (width, height)."""
    owner = np.full(size[::-1], -1, np.int32)
    for index, region in sorted(enumerate(regions), key=lambda pair: -pair[1].depth):
        owner[enlarged(region.mask, size) >= 128] = index
    return owner


def borders(owner: NDArray[np.int32]) -> PixelLines:
    """The last pixel of each owner to the right and below."""
    lines = np.zeros(owner.shape, bool)
    lines[:, :-1] |= owner[:, :-1] != owner[:, 1:]
    lines[:-1] |= owner[:-1] != owner[1:]
    return lines


def steps(near: Shades, size: tuple[int, int]) -> PixelLines:
    """Where nearness (rows, columns) is another in the next cell than its slope explains, as lines of a picture."""
    width, height = size
    lines = np.zeros((height, width), bool)
    columns, rows = (_ends(count, length) for count, length in ((near.shape[1], width), (near.shape[0], height)))
    jumps = np.repeat(_jumps(near.T).T, np.diff(rows, prepend=0), axis=0)
    lines[:, columns[:-1] - 1] |= jumps
    jumps = np.repeat(_jumps(near), np.diff(columns, prepend=0), axis=1)
    lines[rows[:-1] - 1] |= jumps
    return lines


def enlarged(mask: Mask, size: tuple[int, int]) -> Shades:
    """The bytes of a mask on the grid of a picture, blended between the middles of its cells."""
    image = Image.fromarray(np.asarray(mask_rows(mask)))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def _jumps(near: Shades) -> PixelLines:
    """Between each row and the next: (rows - 1, columns). Where something ends and nothing begins is one too."""
    values = near.astype(np.int32)
    difference = np.abs(np.diff(values, axis=0))
    around = np.concatenate([difference[:1], difference, difference[-1:]])
    slope = np.minimum(around[:-2], around[2:]) if len(difference) > 1 else np.zeros_like(difference)
    emptiness = (near[1:] == 0) != (near[:-1] == 0)
    jumps: PixelLines = (difference - 2 * slope > STEP) | emptiness
    return jumps


def _ends(count: int, length: int) -> NDArray[np.int64]:
    """Behind which pixel each of ``count`` cells ends along a side of ``length`` pixels, one at least."""
    ends = np.rint(np.arange(1, count + 1) * length / count).astype(np.int64)
    behind: NDArray[np.int64] = np.maximum(ends, 1)
    return behind
