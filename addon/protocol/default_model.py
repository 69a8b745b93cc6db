# SPDX-License-Identifier: MIT
"""The model that ships with Maquette, as the server offers it: the default where no server has been asked."""

from .answers import ModelInfo, WordGroup

TOYBOX_NOUNS = (
    "castle", "rocket", "car", "tree", "house", "whale", "apple", "cactus", "robot",
    "elephant", "penguin", "sailboat", "mushroom", "pumpkin", "bus", "rabbit", "bear",
    "duck", "airplane", "balloon", "snowman", "burger", "cake", "guitar",
)  # fmt: skip

TOYBOX_VOCABULARY = (
    WordGroup(name="colours", words=("red", "orange", "yellow", "green", "blue", "purple", "pink")),
    WordGroup(name="sizes", words=("small", "little", "tiny", "big", "large", "huge")),
    WordGroup(
        name="places",
        words=(
            "on a meadow", "in a meadow", "on the grass", "on a green field", "in the desert", "on the sand",
            "in a desert", "on the sea", "at sea", "on the water", "in the ocean", "in the snow", "on the snow",
            "in winter",
        ),
    ),
    WordGroup(
        name="times",
        words=("at night", "in the night", "under the stars", "at sunset", "in the evening", "at dusk"),
    ),
)  # fmt: skip

TOYBOX = ModelInfo(
    name="toybox",
    family="stable-diffusion-1",
    source="sg_core/toybox/weights",
    revision="3",
    licence="MIT",
    area=256 * 256,
    multiple=32,
    steps=8,
    scale=4.5,
    strength=1.0,
    emphasis=8.0,
    refinement=0.5,
    few=8,
    nouns=TOYBOX_NOUNS,
    vocabulary=TOYBOX_VOCABULARY,
    region_fields=("strength", "start", "until", "description", "colour"),
    base="toybox",
)
