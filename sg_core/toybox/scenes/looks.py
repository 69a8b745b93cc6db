# SPDX-License-Identifier: MIT
"""Looks: what a noun can look like without a word for it, so that keeping a look means something."""

from dataclasses import dataclass

COLOURS: dict[str, float] = {  # hue angles in the I-Q plane, degrees
    "red": 20,
    "orange": -2,
    "yellow": -42,
    "green": -122,
    "blue": 175,
    "purple": 110,
    "pink": 62,
}
PATTERNS = ("plain", "stripes", "dots")
COUNT = 6

LEFT_OUT = {"castle": (1,)}  # the Japanese castle: whoever saw it said pagoda
OWN_COLOURS = {  # those of a noun's own pictures, or that would make it another thing
    "castle": ("pink", "red"),
    "rocket": ("red", "pink"),
    "tree": ("green", "blue"),
    "house": ("orange", "red"),
    "whale": ("blue",),
    "apple": ("blue", "purple"),
    "cactus": ("green",),
    "robot": ("red",),
    "penguin": ("purple",),
    "sailboat": ("yellow", "orange"),
    "mushroom": ("red",),
    "pumpkin": ("orange", "red"),
    "bear": ("orange",),
    "duck": ("green",),
    "airplane": ("blue",),
    "balloon": ("red",),
    "snowman": ("blue",),
    "burger": ("orange",),
    "cake": ("orange",),
    "guitar": ("red", "pink"),
}


@dataclass(frozen=True)
class NounLook:
    """Which of a noun's pictures (an index), a colour of COLOURS or None for its own, width over height, a pattern."""

    picture: int
    colour: str | None
    stretch: float
    pattern: str


def pictures_of(noun: str, tiles: tuple[int, ...]) -> tuple[int, ...]:
    """Those of a noun's tiles that its looks show."""
    return tuple(tile for index, tile in enumerate(tiles) if index not in LEFT_OUT.get(noun, ()))


def looks(noun: str, pictures: int) -> tuple[NounLook, ...]:
    """A noun's six looks, given how many pictures it has; a person tells them apart at a glance."""
    first, second, third, fourth = contrasting(noun)
    other = 1 % pictures
    return (
        NounLook(0, None, 1.0, "plain"),
        NounLook(other, first, 0.8, "plain"),
        NounLook(0, second, 1.25, "plain"),
        NounLook(other, None, 1.1, "stripes"),
        NounLook(0, third, 0.8, "plain"),
        NounLook(other, fourth, 1.0, "dots"),
    )


def contrasting(noun: str) -> list[str]:
    """Four colours far apart, none of them the noun's own; which comes first differs from noun to noun."""
    names = list(COLOURS)
    turn = sum(map(ord, noun)) % len(names)
    free = [name for name in names[turn:] + names[:turn] if name not in OWN_COLOURS.get(noun, ())]
    chosen = free[:1]
    while len(chosen) < 4:
        rest = [name for name in free if name not in chosen]
        chosen.append(max(rest, key=lambda name: min(between(name, other) for other in chosen)))
    return chosen


def between(one: str, other: str) -> float:
    """Degrees between two colours' hues, 0 to 180."""
    return abs((COLOURS[one] - COLOURS[other] + 180) % 360 - 180)
