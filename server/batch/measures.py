# SPDX-License-Identifier: MIT
"""How a picture obeys its request: each region's mask against the one that was asked for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from addon.protocol.answers import Achieved
from addon.protocol.blockout import Blockout, Mask, mask_rows

from ..cli.region_report import outcomes
from .manifest import RegionScore

HALF = 128  # coverage, of 255, from which on a cell belongs to a region

Cells = NDArray[np.bool_]


def measured(blockout: Blockout, achieved: Sequence[Achieved]) -> tuple[RegionScore, ...]:
    """A measure for each region; none of a picture that an older server did not measure."""
    return tuple(
        RegionScore(
            name=outcome.request.name,
            phrase=outcome.request.phrase,
            by=outcome.achieved.by,
            overlap=overlap(blockout, outcome.request.mask, outcome.achieved.mask),
            offset=outcome.offset,
        )
        for outcome in outcomes(blockout, achieved)
    )


def overlap(blockout: Blockout, target: Mask, achieved: Mask | None) -> float:
    """Intersection over union of two masks inside the artist's frame, 0 to 1; 0 for what is not there."""
    if achieved is None:
        return 0.0
    one, other = framed(target, blockout), framed(achieved, blockout)
    union = int((one | other).sum())
    return round(int((one & other).sum()) / union, 6) if union else 0.0


def framed(mask: Mask, blockout: Blockout) -> Cells:
    """The cells of a mask at the pixels of the frame, (height, width)."""
    frame = blockout.frame
    whole = Image.fromarray(np.asarray(mask_rows(mask))).resize(
        (blockout.width, blockout.height), Image.Resampling.BILINEAR
    )
    box = (frame.left, frame.top, frame.left + frame.width, frame.top + frame.height)
    return np.asarray(whole.crop(box)) >= HALF


def objects(blockout: Blockout) -> Image.Image:
    """Which region is where, at the pixels of the frame: grey 0 is none, else the region's number from 1, nearest last.

    For a compositor, or a model of videos, that takes object masks.
    """
    frame = blockout.frame
    cells = np.zeros((frame.height, frame.width), np.uint8)
    numbered = sorted(enumerate(blockout.regions, 1), key=lambda pair: -pair[1].depth)
    for number, region in numbered:
        cells[framed(region.mask, blockout)] = number
    return Image.fromarray(cells)
