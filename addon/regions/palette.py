# SPDX-License-Identifier: GPL-3.0-or-later
"""A colour for every region, the same in list, overlay and outline. No bpy."""

from collections.abc import Iterable, Mapping

COLOURS = (0, 4, 2, 3, 5, 1, 6)
"""Of Blender's eight collection colours, each far in hue from those just before it: red, blue, yellow, green, violet,
orange, pink; the last, a brown, is lost on most pictures."""


def colours(earlier: Mapping[int, int], regions: Iterable[int]) -> dict[int, int]:
    """A colour for each region, by its session id: the one it had ``earlier``, else one that the fewest have."""
    regions = list(dict.fromkeys(regions))
    palette = {uid: earlier[uid] for uid in regions if uid in earlier}
    for uid in regions:
        if uid not in palette:
            used = list(palette.values())
            palette[uid] = min(COLOURS, key=used.count)
    return palette
