# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's regions as a list to draw: plain values, so that a panel looks nothing up but names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import bpy

from .marks import Marked, marked
from .palette import colours
from .visibility import background_sets


@dataclass(frozen=True)
class Row:
    """A region. ``uid`` and ``members`` (its objects) are session ids, ``kind`` names the collection of bpy.data."""

    uid: int
    kind: str
    name: str
    library: str | None
    phrase: str
    colour: int
    members: frozenset[int]

    def find(self, data: bpy.types.BlendData) -> Marked | None:
        """The object or collection itself, in bpy.data; None when it was renamed or removed since."""
        item: Marked | None = getattr(data, self.kind).get((self.name, self.library))
        return item if item is not None and item.session_uid == self.uid else None


@dataclass(frozen=True)
class ObjectKey:
    """An object of the file, by values that no undo makes stale."""

    uid: int
    name: str
    library: str | None

    @staticmethod
    def of(item: bpy.types.Object) -> "ObjectKey":
        """That of an object."""
        return ObjectKey(item.session_uid, item.name, item.library.filepath if item.library else None)

    def find(self, data: bpy.types.BlendData) -> bpy.types.Object | None:
        """The object itself, in bpy.data; None when it was renamed or removed since."""
        item = data.objects.get((self.name, self.library))
        return item if item is not None and item.session_uid == self.uid else None


def palette_of(scene: bpy.types.Scene, earlier: Mapping[int, int]) -> dict[int, int]:
    """The colour of each marked object and collection, by its session id; of one phrase, they have one colour.

    ``earlier`` has those of before: a region keeps its colour for as long as Blender runs, whatever it is called.
    """
    first: dict[str, int] = {}
    regions = {item.session_uid: mark.phrase.casefold() for item, mark in marked(scene)}
    for uid, phrase in regions.items():
        first.setdefault(phrase, uid)
    own = colours(earlier, first.values())
    return {uid: own[first[phrase]] for uid, phrase in regions.items()}


def rows(scene: bpy.types.Scene, palette: Mapping[int, int]) -> tuple[Row, ...]:
    """Every marked object and collection of the scene, those that are switched off too; ``palette`` has their colours
    by session id."""
    regions = list(marked(scene))
    own = frozenset(item.session_uid for item, _ in regions)
    return tuple(
        Row(
            uid=item.session_uid,
            kind="collections" if isinstance(item, bpy.types.Collection) else "objects",
            name=item.name,
            library=item.library.filepath if item.library else None,
            phrase=mark.phrase,
            colour=palette[item.session_uid],
            members=frozenset(_members(item, own)),
        )
        for item, mark in regions
    )


def marked_in_sets(scene: bpy.types.Scene) -> tuple[str, ...]:
    """The names of what is marked in the scene's background, and in the background of that: there they are regions, and
    here they only hide what is behind them."""
    behind = background_sets(scene)
    own = {item.session_uid for item, _ in marked(scene)} if behind else set()
    names = [mark.name for one in behind for item, mark in marked(one) if mark.on and item.session_uid not in own]
    return tuple(dict.fromkeys(names))


def _members(item: Marked, own: frozenset[int]) -> Iterator[int]:
    """The object itself; of a collection those that are no region of their own."""
    if isinstance(item, bpy.types.Collection):
        yield from (member.session_uid for member in item.all_objects if member.session_uid not in own)
    else:
        yield item.session_uid
