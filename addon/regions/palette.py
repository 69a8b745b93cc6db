# SPDX-License-Identifier: GPL-3.0-or-later
"""A colour for every region, the same in list, overlay and outline. No bpy."""

import zlib
from collections.abc import Iterable

COLOURS = 7  # of Blender's eight collection colours; the last, a brown, is lost on most pictures


def colours(phrases: Iterable[str]) -> dict[str, int]:
    """A colour for each phrase (in lower case): its own wherever it appears, unless an earlier one has that already."""
    palette: dict[str, int] = {}
    for phrase in dict.fromkeys(phrase.casefold() for phrase in phrases):
        own, latest = zlib.crc32(phrase.encode()), list(palette.values())[1 - COLOURS :]
        palette[phrase] = next(c for step in range(COLOURS) if (c := (own + step) % COLOURS) not in latest)
    return palette
