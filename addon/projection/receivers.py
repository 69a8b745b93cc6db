# SPDX-License-Identifier: GPL-3.0-or-later
"""What pictures are projected onto: the objects of regions, and whatever else an artist selects, be it the ground."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import bpy

from ..messages.errors import LockedObject, NothingMarked
from ..raster.instances import MeshInstances
from ..raster.zbuffer import NOTHING
from .materials import check_objects

SELECTED = 1 << 20  # the owner of what is no region, and is projected onto all the same


@dataclass(frozen=True, eq=False)
class Receivers:
    """Objects that a picture can be projected onto, and the names of those that belong to another file."""

    objects: tuple[bpy.types.Object, ...]
    locked: tuple[str, ...]


def receivers(
    parts: Iterable[tuple[bpy.types.Object, MeshInstances]], selected: Collection[int] = frozenset()
) -> Receivers:
    """Of what a render shows, the regions' objects, by region, and those ``selected``, by session id.

    Raises NothingMarked, and LockedObject where all of it belongs to another file.
    """
    owned = [(part.owner, item) for item, part in owned_by_receivers(parts, selected) if part.owner != NOTHING]
    objects = list(dict.fromkeys(item for _, item in sorted(owned, key=lambda pair: pair[0])))
    if not objects:
        raise NothingMarked("There is no marked thing to project onto.", "Select objects and press Add Selected.")
    errors: list[LockedObject] = []
    free = []
    for item in objects:
        try:
            check_objects([item])
        except LockedObject as error:
            errors.append(error)
        else:
            free.append(item)
    if not free:
        raise errors[0]
    return Receivers(tuple(free), tuple(error.subject for error in errors))


def owned_by_receivers(
    parts: Iterable[tuple[bpy.types.Object, MeshInstances]], selected: Collection[int]
) -> Iterator[tuple[bpy.types.Object, MeshInstances]]:
    """The same parts, those ``selected``, or instanced by what is, owned as regions are, though they are none."""
    for item, part in parts:
        is_chosen = part.owner == NOTHING and not {item.session_uid, *part.lineage}.isdisjoint(selected)
        yield item, replace(part, owner=SELECTED) if is_chosen else part
