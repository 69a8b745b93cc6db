# SPDX-License-Identifier: GPL-3.0-or-later
"""A colour for every region, the same in list, overlay and outline. No bpy."""

from collections.abc import Iterable, Mapping

Rgb = tuple[float, float, float]

COLOURS: tuple[Rgb, ...] = (
    (0.73, 0.00, 0.20),
    (0.60, 1.00, 0.93),
    (0.00, 0.27, 1.00),
    (0.60, 0.73, 0.00),
    (0.93, 0.47, 0.67),
    (0.93, 0.93, 0.20),
    (0.53, 0.40, 0.60),
    (0.00, 0.80, 1.00),
    (1.00, 0.73, 0.60),
    (0.60, 0.00, 0.73),
    (0.33, 0.53, 1.00),
    (0.73, 0.47, 0.00),
)
"""sRGB, as shown on screen. Searched for: any two are 0.16 apart in OKLab, and 0.1 for eyes that lack a kind of
cones, to whom lightness tells them apart; each is as far as can be from those before it."""


def colours(earlier: Mapping[int, int], regions: Iterable[int]) -> dict[int, int]:
    """An index of COLOURS for each region, by its session id: the one it had ``earlier``, else one of the rarest.

    That is none of a region that is gone, for Undo may bring it back, and the farthest from those in use.
    While there are enough for all, no two regions have one.
    """
    regions = list(dict.fromkeys(regions))
    palette: dict[int, int] = {}
    for uid in regions:
        if uid in earlier and (earlier[uid] not in palette.values() or len(regions) > len(COLOURS)):
            palette[uid] = earlier[uid]
    gone = set(earlier.values()) - set(palette.values())
    for uid in regions:
        if uid not in palette:
            palette[uid] = _next(list(palette.values()), gone)
    return palette


def distance(one: Rgb, other: Rgb) -> float:
    """How far apart two colours look, as Euclidean distance in OKLab (Ottosson 2020); black and white are 1 apart."""
    return float(sum((a - b) ** 2 for a, b in zip(_oklab(one), _oklab(other), strict=True)) ** 0.5)


def _next(used: list[int], gone: set[int]) -> int:
    fewest = min(used.count(index) for index in range(len(COLOURS)))
    free = [index for index in range(len(COLOURS)) if used.count(index) == fewest]
    free = [index for index in free if index not in gone] or free
    taken = [COLOURS[index] for index in set(used) - set(free)]
    return max(free, key=lambda index: min((distance(COLOURS[index], other) for other in taken), default=0.0))


def _oklab(colour: Rgb) -> Rgb:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )
