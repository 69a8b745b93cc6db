# SPDX-License-Identifier: MIT
"""Recipes: everything that decides what a trained Toybox is, as data."""

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from sg_core.toybox.scenes.places import PLACES
from sg_core.toybox.scenes.scene import FIRST, SIX_LOOKS, SceneStyle, Vocabulary

SMALLEST_PIXELS = 45


@dataclass(frozen=True)
class Lesson:
    """How one part is trained: its share of the core-hours, learning rate, batch, and the decay of its average."""

    share: float
    rate: float
    batch: int
    decay: float = 0.998


LESSONS = {
    "denoiser": Lesson(share=0.66, rate=2.2e-3, batch=64, decay=0.9993),
    "decoder": Lesson(share=0.19, rate=2.5e-3, batch=4),
    "encoder": Lesson(share=0.07, rate=2e-3, batch=4),
    "judge": Lesson(share=0.04, rate=4e-3, batch=4),
    "second-judge": Lesson(share=0.04, rate=4e-3, batch=4),
}


@dataclass(frozen=True)
class Recipe:
    """A model's shape and its training.

    `buckets` are the (width, height) pairs trained on and their shares. `code_width` numbers of a latent cell say which
    noun, `colours` are components of what is seen. `cross_only` says at which levels of the denoiser, finest first,
    cells look at words but not at each other. `scenes` are kept at a time, the oldest replaced as training goes.
    `hours` are core-hours for all lessons together. `from_shipped` says that the weights that ship are gone on with,
    `self_play` that the denoiser then learns to tell true scenes from its own pictures, a batch of each.
    """

    name: str
    nouns: tuple[str, ...]
    places: tuple[str, ...]
    style: SceneStyle
    buckets: tuple[tuple[int, int, float], ...]
    code_width: int
    colours: int
    autoencoder_channels: tuple[int, ...]
    denoiser_channels: tuple[int, ...]
    cross_only: tuple[bool, ...]
    layers: int
    heads: int
    text_width: int
    text_layers: int
    judge_width: int
    scenes: int
    hours: float
    lessons: dict[str, Lesson] = field(default_factory=lambda: dict(LESSONS))
    tokens: int = 32
    from_shipped: bool = False
    self_play: bool = False

    @property
    def vocabulary(self) -> Vocabulary:
        """The nouns and places of this recipe, and how its scenes are drawn."""
        return Vocabulary(self.nouns, self.places, self.style)

    @property
    def area(self) -> int:
        """Native picture area in pixels: that of the square bucket."""
        return self.buckets[0][0] * self.buckets[0][1]

    def smallest(self, width: int, height: int) -> float:
        """The least side of a thing in pictures of this size: few pixels show nothing small; 0 at the native size."""
        native = width * height >= 0.9 * self.area
        return 0.0 if native else SMALLEST_PIXELS / math.sqrt(width * height)


def all_nouns() -> tuple[str, ...]:
    """Every noun the atlas has pictures of."""
    return tuple(json.loads(Path(__file__).with_name("nouns.json").read_text()))


SHARP = Recipe(
    name="sharp",
    nouns=all_nouns()[:24],
    places=tuple(PLACES)[:6],
    style=SIX_LOOKS,
    buckets=((256, 256, 0.56), (320, 192, 0.17), (192, 320, 0.17), (128, 128, 0.1)),
    code_width=8,
    colours=8,
    autoencoder_channels=(16, 32, 80, 128, 176),
    denoiser_channels=(128, 208),
    cross_only=(False, False),
    layers=1,
    heads=4,
    text_width=128,
    text_layers=1,
    judge_width=24,
    scenes=45_056,
    hours=24,
)

# For a GPU: more nouns, whose codes need more numbers.
FULL = replace(
    SHARP,
    name="full",
    nouns=all_nouns()[:120],
    places=tuple(PLACES)[:12],
    code_width=24,
    text_width=192,
    scenes=200_000,
    hours=0.12,
)

# What the weights of before were trained on, for the bench: 128 pixels, one look. It is not trained any more.
FALLBACK = replace(
    SHARP, name="fallback", style=FIRST, buckets=((128, 128, 0.6), (160, 96, 0.2), (96, 160, 0.2)), judge_width=24
)

# Those weights gone on with, at the 256 pixels of their decoder: the denoiser, the decoder on what it leaves, and the
# Judges. The hours come on top of what shipped. The denoiser's average is of a thousand steps and more, and of the
# weights that shipped: over 300 steps it learned nothing of the noisier half, and weights that are not averaged paint
# under layouts what nobody asked for.
# Half of its castles had been Japanese ones, which readers called pagodas: they are left out now. Its rockets, guitars
# and airplanes had all been aslant, as the atlas draws them, so that a block that stands upright was painted as rubble.
CRISP = replace(
    FALLBACK,
    name="crisp",
    style=replace(FIRST, familiar=True, upright=True),
    buckets=((256, 256, 0.7), (320, 192, 0.15), (192, 320, 0.15)),
    autoencoder_channels=(16, 32, 80, 144, 192),
    denoiser_channels=(96, 192),
    scenes=40_960,
    hours=9,
    lessons={
        "denoiser": Lesson(share=0.76, rate=1.2e-3, batch=48, decay=0.9993),
        "decoder": Lesson(share=0.18, rate=2.5e-3, batch=4, decay=0.99),
        "judge": Lesson(share=0.03, rate=1e-3, batch=4, decay=0.99),
        "second-judge": Lesson(share=0.03, rate=1e-3, batch=4, decay=0.99),
    },
    from_shipped=True,
)

# And those told apart from themselves, once velocities teach nothing more that is seen: at a quarter of the rate, and
# its average is of a hundred steps.
SELF_PLAY = replace(
    CRISP,
    name="self-play",
    hours=3,
    lessons=CRISP.lessons | {"denoiser": Lesson(share=0.76, rate=3e-4, batch=24, decay=0.99)},
    self_play=True,
)

RECIPES = {recipe.name: recipe for recipe in (SHARP, FULL, FALLBACK, CRISP, SELF_PLAY)}


def recipe_for(name: str, device: str) -> Recipe:
    """A recipe; on a GPU with batches that it has something to do with, for a recipe's own are for a few CPU cores."""
    recipe = RECIPES[name]
    if device != "cuda":
        return recipe
    wider = {
        part: replace(lesson, batch=(8 if part == "denoiser" else 16) * lesson.batch)
        for part, lesson in recipe.lessons.items()
    }
    return replace(recipe, lessons=wider)
