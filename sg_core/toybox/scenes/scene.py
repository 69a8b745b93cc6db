# SPDX-License-Identifier: MIT
"""Captioned scenes as plain parameters: what stands where, in which colour, how deep, and what a person would call it.

Everything is drawn from one integer seed. `compose.py` turns scenes into pictures with true masks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.looks import COLOURS, looks, pictures_of
from sg_core.toybox.scenes.places import PLACES

Option = TypeVar("Option")

COUNTS = (0.34, 0.36, 0.22, 0.08)
SMALL, BIG = 0.27, 0.55  # sides below and above which a person might say so
TIMES = ("night", "sunset", "autumn", "sunrise")  # places that are a time
SIZES = {"small": ("small", "little", "tiny"), "big": ("big", "large", "huge")}


@dataclass(frozen=True)
class SceneStyle:
    """How things are drawn: their sides, how far in the frame they lie, how much of one another they may hide.

    `sides` are the least and the greatest of the root of width times height, over the root of the frame's area.
    `inside` times its width is how far a thing's centre stays from the frame's edge at least: at 0.5 all are whole.
    With `looks` every noun has six; without, only its pictures and a slight change of hue. `familiar` leaves out
    pictures that people call by another noun, as looks always do. With `upright` what is drawn aslant, as a rocket, is
    upright half of the time, as artists block it out.
    """

    sides: tuple[float, float]
    inside: float
    overlap: float
    stretch: float
    tilt: float
    looks: bool
    familiar: bool = False
    upright: bool = False


FIRST = SceneStyle(sides=(0.15, 0.8), inside=0.42, overlap=0.3, stretch=0.14, tilt=0.12, looks=False)
SIX_LOOKS = SceneStyle(sides=(0.2, 0.85), inside=0.46, overlap=0.25, stretch=0.1, tilt=0.1, looks=True, upright=True)


@dataclass(frozen=True)
class SceneObject:
    """One thing: atlas tile, centre (x right, y down, 0..1), width and height over the root of the frame's area.

    `sized` is what the caption says of its size, or nothing.
    """

    noun: str
    tile: int
    colour: str | None
    said: bool
    x: float
    y: float
    width: float
    height: float
    sized: str = ""
    angle: float = 0.0
    flip: bool = False
    hue: float = 0.0
    shade: float = 1.0
    warp: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    pattern: str = "plain"

    @property
    def phrase(self) -> str:
        """What a prompt calls it, without the article: "blue castle"."""
        return f"{self.colour} {self.noun}" if self.said and self.colour else self.noun


@dataclass(frozen=True)
class Scene:
    """Things from far to near at a place, with the caption a person might type."""

    place: str
    horizon: float
    phase: tuple[float, ...]
    objects: tuple[SceneObject, ...]
    caption: str

    @property
    def phrases(self) -> tuple[str, ...]:
        """The things' phrases, far to near, as they stand in the caption."""
        return tuple(item.phrase for item in self.objects)


@dataclass(frozen=True)
class Vocabulary:
    """The nouns and places a model knows, in the order of the Judge's classes, and how its scenes are drawn."""

    nouns: tuple[str, ...]
    places: tuple[str, ...] = tuple(PLACES)
    style: SceneStyle = FIRST

    @property
    def words(self) -> tuple[str, ...]:
        """Every word a caption can hold."""
        phrases = [phrase for place in self.places for phrase in PLACES[place].phrases]
        grammar = "a an and with next to beside the ,"
        said = " ".join([*self.nouns, *COLOURS, *size_words(), *phrases, *OPENINGS, grammar])
        return tuple(dict.fromkeys(said.split()))

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """What a caption can say beside nouns, by kind."""
        where = [phrase for place in self.places if place not in TIMES for phrase in PLACES[place].phrases]
        when = [phrase for place in self.places if place in TIMES for phrase in PLACES[place].phrases]
        return {"colours": tuple(COLOURS), "sizes": size_words(), "places": tuple(where), "times": tuple(when)}


def size_words() -> tuple[str, ...]:
    """Every word for a size."""
    return tuple(word for words in SIZES.values() for word in words)


JOINS = (" and ", " and ", " next to ", " with ")
OPENINGS = ("a picture of", "a photo of", "a scene with", "an image of")


def held_out(nouns: Sequence[str]) -> bool:
    """Whether a combination of nouns is kept from training, to measure on: one pair in eight."""
    names = sorted(set(nouns))
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return any(sum(map(ord, a)) * 31 + sum(map(ord, b)) * 17 & 7 == 0 for a, b in pairs)


def draw_scene(
    seed: int,
    atlas: Atlas,
    vocabulary: Vocabulary,
    aspect: float = 1.0,
    *,
    count: int | None = None,
    test: bool = False,
    smallest: float = 0.0,
) -> Scene:
    """The scene of a seed. `aspect` is width over height; test=True draws only held-out combinations, else never.

    `smallest` raises the least side of the style's, for pictures of few pixels.
    """
    rng = np.random.default_rng(seed)
    target = count or int(rng.choice(4, p=COUNTS)) + 1
    nouns = draw_nouns(rng, vocabulary, target, test)
    objects: list[SceneObject] = []
    style = vocabulary.style
    sides = (max(style.sides[0], smallest), style.sides[1] / target**0.35)
    for noun in nouns:
        item = draw_object(rng, draw_appearance(rng, atlas, noun, style), style, sides, aspect, objects)
        if item is not None:
            objects.append(item)
    place = pick(rng, vocabulary.places)
    low, high = PLACES[place].horizon
    objects.sort(key=lambda item: item.y + item.height / 2)
    horizon, phase = float(rng.uniform(low, high)), tuple(rng.random(8).tolist())
    return Scene(place, horizon, phase, tuple(objects), caption(rng, objects, place))


def draw_nouns(rng: np.random.Generator, vocabulary: Vocabulary, count: int, test: bool) -> list[str]:
    """Different nouns whose combination is (test) or is not (training) held out; one thing alone is always allowed."""
    while True:
        nouns = [vocabulary.nouns[k] for k in rng.choice(len(vocabulary.nouns), count, replace=False)]
        if count == 1 or held_out(nouns) == test:
            return nouns


def draw_appearance(rng: np.random.Generator, atlas: Atlas, noun: str, style: SceneStyle) -> SceneObject:
    """What a thing looks like, of side 1 in the middle of the frame."""
    tiles = pictures_of(noun, atlas.of(noun)) if style.looks or style.familiar else atlas.of(noun)
    look = pick(rng, looks(noun, len(tiles))) if style.looks else None
    turned = atlas.upright(noun) if style.upright else ()
    tile = tiles[look.picture] if look else pick(rng, (*tiles, *turned))
    if look and turned and rng.random() < 0.5:
        tile = turned[atlas.of(noun).index(tile)]
    free = math.exp(rng.normal(0, style.stretch)) if rng.random() < 0.8 else 2 ** rng.uniform(-1, 1)
    shape = math.sqrt(atlas.tiles[tile].aspect * free * (look.stretch if look else 1))
    coloured = rng.random() < 0.3
    word = pick(rng, list(COLOURS)) if coloured else None
    return SceneObject(
        noun=noun,
        tile=tile,
        colour=word or (look.colour if look else None),
        said=bool(coloured and (style.looks or rng.random() < 0.8)),
        x=0.5,
        y=0.5,
        width=shape,
        height=1 / shape,
        angle=float(rng.normal(0, style.tilt)),
        flip=bool(rng.random() < 0.5),
        hue=float(rng.normal(0, style.tilt)),
        shade=float(rng.uniform(0.88, 1.1)),
        warp=bend(rng),
        pattern=look.pattern if look else "plain",
    )


def bend(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """A slight warp: how much across and down, and its phases."""
    across, down = rng.uniform(0, 0.06, 2).tolist()
    first, second = rng.random(2).tolist()
    return across, down, first, second


def draw_object(
    rng: np.random.Generator,
    appearance: SceneObject,
    style: SceneStyle,
    sides: tuple[float, float],
    aspect: float,
    others: Sequence[SceneObject],
) -> SceneObject | None:
    """A thing of that appearance with a size and a spot that buries no other; None if there is no room."""
    for _ in range(12):
        side = float(rng.uniform(*sides))
        width, height = side * appearance.width, side * appearance.height
        x_margin, y_margin = style.inside * width / math.sqrt(aspect), style.inside * height * math.sqrt(aspect)
        x = float(rng.uniform(min(x_margin, 0.5), max(1 - x_margin, 0.5)))
        y = float(rng.uniform(min(y_margin, 0.5), max(1 - y_margin, 0.5)))
        sized = draw_size(rng, side)
        item = replace(appearance, x=x, y=y, width=width, height=height, sized=sized)
        if all(overlap(item, other, aspect) < style.overlap for other in others):
            return item
    return None


def draw_size(rng: np.random.Generator, side: float) -> str:
    """A word for a small or a big thing, half the time."""
    words = SIZES["small"] if side < SMALL else SIZES["big"] if side > BIG else ()
    return pick(rng, words) if words and rng.random() < 0.5 else ""


def overlap(one: SceneObject, other: SceneObject, aspect: float) -> float:
    """Shared box area over the smaller box."""
    shared_x = (one.width + other.width) / 2 - abs(one.x - other.x) * math.sqrt(aspect)
    shared_y = (one.height + other.height) / 2 - abs(one.y - other.y) / math.sqrt(aspect)
    shared = min(max(shared_x, 0), one.width, other.width) * min(max(shared_y, 0), one.height, other.height)
    return shared / min(one.width * one.height, other.width * other.height)


def caption(rng: np.random.Generator, objects: Sequence[SceneObject], place: str) -> str:
    """Words like a person's: things in any order, joined in several ways, place before or after or left out."""
    order = (objects[index] for index in rng.permutation(len(objects)))
    named = [with_article(f"{item.sized} {item.phrase}".strip()) for item in order]
    *rest, last = named
    join = pick(rng, JOINS) if len(named) == 2 else " and "
    words = ", ".join(rest) + join + last if rest else last
    if rng.random() < 0.15:
        words = f"{pick(rng, OPENINGS)} {words}"
    where = pick(rng, PLACES[place].phrases)
    fate = rng.random()
    if fate < 0.08:
        return words
    return f"{where} , {words}" if fate < 0.18 else f"{words} {where}"


def pick(rng: np.random.Generator, options: Sequence[Option]) -> Option:
    """One of them, evenly. (numpy's own choice first makes an array of all.)"""
    return options[int(rng.integers(len(options)))]


def with_article(phrase: str) -> str:
    """ "an apple", "a blue castle", "a unicorn", "an hourglass"."""
    vowel = phrase.startswith(("a", "e", "i", "o", "u", "hour")) and not phrase.startswith(("uni", "ufo"))
    return f"{'an' if vowel else 'a'} {phrase}"
