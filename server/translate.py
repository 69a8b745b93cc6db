# SPDX-License-Identifier: MIT
"""From the words of the wire to the words of the method: what each region is to be, as an energy.

A blockout's masks lie on the whole generated picture, and so do the network's maps; centroids and sizes are of the
artist's frame, and are carried over to the picture here.
"""

import numpy as np
import torch
from torch import Tensor

import sg_core
from addon.contract import Blockout, Frame, Mask, Region, unpack_mask
from sg_core import Energy, Phrase

PLACED = 0.5  # weight of a centroid or a size against a shape
PRESENT = 0.25


def paint(model: sg_core.Model, blockout: Blockout, watch: sg_core.Watch) -> Tensor:
    """The whole picture, (1, 3, height, width) in 0..1. Raises sg_core's errors, and whatever ``watch`` raises."""
    guided = blockout.regions and blockout.strength > 0
    return sg_core.generate(
        model,
        blockout.prompt,
        layout(blockout) if guided else None,
        seeds=(blockout.seed,),
        width=blockout.width,
        height=blockout.height,
        steps=blockout.steps,
        scale=blockout.scale,
        strength=blockout.strength,
        negative=blockout.negative,
        watch=watch,
    )


def layout(blockout: Blockout) -> Energy:
    """What the regions enforce. Those with a shape also keep out of each other; the others only have to be there."""
    shaped: dict[str | Phrase, Tensor] = {
        region.phrase: coverage(region.mask) for region in blockout.regions if "shape" in region.enforce
    }
    return sum((loose(region, blockout) for region in blockout.regions), sg_core.place(shaped))


def loose(region: Region, blockout: Blockout) -> Energy:
    """What one region enforces besides its shape; presence where no mask says where to be."""
    energy, picture = Energy(), (blockout.width, blockout.height)
    if "centroid" in region.enforce:
        x, y = centroid_in_picture(region.centroid, blockout.frame, picture)
        energy += PLACED * sg_core.centroid(region.phrase, x, y)
    if "size" in region.enforce:
        energy += PLACED * sg_core.size(region.phrase, size_in_picture(region.size, blockout.frame, picture))
    if "shape" not in region.enforce:
        energy += PRESENT * sg_core.presence(region.phrase)
    return energy


def coverage(mask: Mask) -> Tensor:
    """A mask as (height, width) in 0..1, rows from the top."""
    rows = np.frombuffer(unpack_mask(mask), np.uint8).reshape(mask.height, mask.width)
    return torch.from_numpy(rows / np.float32(255))


def centroid_in_picture(centroid: tuple[float, float], frame: Frame, picture: tuple[int, int]) -> tuple[float, float]:
    """A point of the frame as a point of the picture, both in 0..1; ``picture`` is (width, height) in pixels."""
    (x, y), (width, height) = centroid, picture
    return (frame.left + x * frame.width) / width, (frame.top + y * frame.height) / height


def size_in_picture(size: float, frame: Frame, picture: tuple[int, int]) -> float:
    """A fraction of the frame as a fraction of the picture."""
    return size * (frame.width * frame.height) / (picture[0] * picture[1])
