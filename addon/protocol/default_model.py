# SPDX-License-Identifier: MIT
"""The model that ships with Maquette, as the server offers it: the default where no server has been asked."""

from .answers import ModelInfo

TOYBOX_NOUNS = (
    "castle", "rocket", "car", "tree", "house", "whale", "apple", "cactus", "robot",
    "elephant", "penguin", "sailboat", "mushroom", "pumpkin", "bus", "rabbit", "bear",
    "duck", "airplane", "balloon", "snowman", "burger", "cake", "guitar",
)  # fmt: skip

TOYBOX = ModelInfo(
    name="toybox",
    family="stable-diffusion-1",
    source="sg_core/toybox/weights",
    revision="1",
    licence="MIT",
    area=128 * 128,
    multiple=16,
    steps=30,
    scale=5.0,
    strength=1.0,
    nouns=TOYBOX_NOUNS,
)
