# SPDX-License-Identifier: MIT
"""Recipes: everything that decides what a trained Toybox is, as data."""

import json
from dataclasses import dataclass
from pathlib import Path

from sg_core.toybox.scenes.places import PLACES
from sg_core.toybox.scenes.scene import Vocabulary


@dataclass(frozen=True)
class Recipe:
    """A model's shape and its training. `minutes` is wall clock for denoiser, decoder and both Judges.

    `buckets` are the (width, height) pairs trained on and their shares; all have nearly the same area. `cross_only`
    says at which levels of the denoiser, finest first, places look at words but not at each other.
    """

    name: str
    nouns: tuple[str, ...]
    places: tuple[str, ...]
    buckets: tuple[tuple[int, int, float], ...]
    decoder_width: int
    latent_channels: int
    denoiser_channels: tuple[int, ...]
    cross_only: tuple[bool, ...]
    layers: int
    heads: int
    text_width: int
    text_layers: int
    judge_width: int
    scenes: int
    batch: int
    learning_rate: float
    minutes: tuple[float, float, float, float]
    tokens: int = 32

    @property
    def vocabulary(self) -> Vocabulary:
        """The nouns and places of this recipe."""
        return Vocabulary(self.nouns, self.places)

    @property
    def area(self) -> int:
        """Native picture area in pixels: that of the square bucket."""
        return self.buckets[0][0] * self.buckets[0][1]


def all_nouns() -> tuple[str, ...]:
    """Every noun the atlas has pictures of."""
    return tuple(json.loads(Path(__file__).with_name("nouns.json").read_text()))


FALLBACK = Recipe(
    name="fallback",
    nouns=all_nouns()[:24],
    places=tuple(PLACES)[:6],
    buckets=((128, 128, 0.6), (160, 96, 0.2), (96, 160, 0.2)),
    decoder_width=48,
    latent_channels=12,
    denoiser_channels=(96, 192),
    cross_only=(False, False),
    layers=1,
    heads=4,
    text_width=128,
    text_layers=1,
    judge_width=24,
    scenes=96_000,
    batch=48,
    learning_rate=2.5e-3,
    minutes=(100, 6, 7, 7),
)

FULL = Recipe(
    name="full",
    nouns=all_nouns(),
    places=tuple(PLACES),
    buckets=((256, 256, 0.6), (320, 192, 0.2), (192, 320, 0.2)),
    decoder_width=64,
    latent_channels=12,
    denoiser_channels=(96, 160, 224),
    cross_only=(True, False, False),
    layers=1,
    heads=4,
    text_width=192,
    text_layers=1,
    judge_width=24,
    scenes=200_000,
    batch=512,
    learning_rate=2.5e-3,
    minutes=(12, 5, 3, 1.5),
)

RECIPES = {recipe.name: recipe for recipe in (FALLBACK, FULL)}
