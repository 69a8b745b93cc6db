# SPDX-License-Identifier: MIT
"""A request for two things side by side, small enough for a network of nothing."""

import io
from dataclasses import replace

import numpy as np
from PIL import Image

from addon.protocol.blockout import Blockout, Frame, Region, pack_mask

LEFT = pack_mask(8, 4, bytes([255] * 4 + [0] * 4) * 4)
RIGHT = pack_mask(8, 4, bytes([0] * 4 + [255] * 4) * 4)
CASTLE = Region(name="castle", phrase="castle", mask=LEFT, centroid=(0.25, 0.5), size=0.5, visible=1.0, depth=0)
ROCKET = replace(CASTLE, name="rocket", phrase="rocket", mask=RIGHT, centroid=(0.75, 0.5))
ASKED = Blockout(
    prompt="a castle and a rocket",
    regions=(CASTLE, ROCKET),
    width=128,
    height=64,
    frame=Frame(left=8, top=2, width=112, height=60),
    seed=3,
    model="tiny",
    steps=4,
    strength=0.7,
    scale=4.0,
)


def unwatched(progress):
    """A report that nobody reads."""


def pixels(png):
    """A PNG as an array."""
    return np.asarray(Image.open(io.BytesIO(png)))
