# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's regions as a list to draw: plain values, so that a panel looks nothing up but names. No bpy."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .marks import Marked, marked
from .palette import colours


@dataclass(frozen=True)
class Row:
    """A region. ``uid`` and ``members`` (its objects) are session ids, ``home`` names the collection of bpy.data."""

    uid: int
    home: str
    name: str
    library: str | None
    phrase: str
    colour: int
    members: frozenset[int]

    def find(self, data: Any) -> Marked | None:
        """The object or collection itself, in bpy.data; None when it was renamed or removed since."""
        found = getattr(data, self.home).get((self.name, self.library))
        return found if found is not None and found.session_uid == self.uid else None


def rows(scene: Any) -> tuple[Row, ...]:
    """Every marked object and collection of the scene, those that are switched off too."""
    things = list(marked(scene))
    palette = colours(found.phrase for _, found in things)
    own = frozenset(thing.session_uid for thing, _ in things)
    return tuple(
        Row(
            uid=thing.session_uid,
            home="collections" if hasattr(thing, "all_objects") else "objects",
            name=thing.name,
            library=thing.library.filepath if thing.library else None,
            phrase=found.phrase,
            colour=palette[found.phrase.casefold()],
            members=frozenset(_members(thing, own)),
        )
        for thing, found in things
    )


def _members(thing: Marked, own: frozenset[int]) -> Iterator[int]:
    """The object itself; of a collection those that are no region of their own."""
    if not hasattr(thing, "all_objects"):
        yield thing.session_uid
        return
    yield from (part.session_uid for part in thing.all_objects if part.session_uid not in own)
