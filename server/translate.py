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
from sg_core import Energy

PRESENT = 0.25
APART = 0.25


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
    """Every region is what it should be, is there at all, and keeps out of the others."""
    energies = (region_energy(region, blockout) for region in blockout.regions)
    return sum(energies, Energy())


def region_energy(region: Region, blockout: Blockout) -> Energy:
    """What one region asks: the properties it enforces, its presence, and none of it where the others are."""
    picture = (blockout.width, blockout.height)
    mask = coverage(region.mask)
    energy = PRESENT * sg_core.presence(region.phrase, mask)
    if "shape" in region.enforce:
        energy += sg_core.shape(region.phrase, mask)
    if "centroid" in region.enforce:
        energy += sg_core.centroid(region.phrase, *centroid_in_picture(region.centroid, blockout.frame, picture))
    if "size" in region.enforce:
        energy += sg_core.size(region.phrase, size_in_picture(region.size, blockout.frame, picture))
    others = [coverage(other.mask) for other in blockout.regions if other.phrase != region.phrase]
    if others:
        energy += APART * sg_core.keep_out(region.phrase, torch.stack(others).amax(0))
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
