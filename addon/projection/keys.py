# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys by which objects know what projects onto them: a projector has one, and each object those of its projectors."""

import time
from collections.abc import Container, Sequence

import bpy

from ..custom_properties import has

PROJECTOR = "maquette_projector"  # on a projector: its key, node group, picture, aspect, and whether it is on
PROJECTED = "maquette_thrown"  # on an object: keys of the projectors that project onto it


def keys_of(item: bpy.types.Object) -> list[str]:
    """Those of an object."""
    return str(item.get(PROJECTED, "")).split()


def pruned(item: bpy.types.Object, records: Container[str]) -> list[str]:
    """The keys on ``item`` that still are a projector's, oldest first; the others are taken off it."""
    keys = sorted(key for key in keys_of(item) if key in records)
    if keys:
        item[PROJECTED] = " ".join(keys)
    elif has(item, PROJECTED):
        del item[PROJECTED]
    return keys


def next_key() -> str:
    """One that comes after all others of the file. Clocks step back, so that one alone would not do; and it keeps keys
    of several files apart, whose objects may be brought together."""
    keys = [str(item[PROJECTOR]["key"]) for item in bpy.data.objects if has(item, PROJECTOR)]
    keys += [key for item in bpy.data.objects for key in keys_of(item)]
    return f"{max([time.time_ns(), *(int(key, 16) + 1 for key in keys)]):x}"


def tell_apart(scenes: Sequence[Sequence[bpy.types.Object]]) -> None:
    """Give the projectors of a scene, oldest first, keys of their own where another scene's have the same: a full copy
    of a scene copies projectors and objects, keys and all, and what is done to one is not meant for the other."""
    known: dict[str, bpy.types.Object] = {}
    for projectors in scenes:
        if any(known.get(_key(projector), projector) != projector for projector in projectors):
            for projector in projectors:  # all of them, for their order is that of their keys
                _renew(projector)
        known |= {_key(projector): projector for projector in projectors}


def _key(projector: bpy.types.Object) -> str:
    return str(projector[PROJECTOR]["key"])


def _renew(projector: bpy.types.Object) -> None:
    """Another key, on the objects of its scene too; what is in no scene, or in others as well, keeps the old one."""
    old, new, scenes = _key(projector), next_key(), set(projector.users_scene)
    projector[PROJECTOR]["key"] = new
    for item in bpy.data.objects:
        at_home = set(item.users_scene)
        if old in (keys := keys_of(item)) and (not at_home or at_home & scenes):
            kept = keys if not at_home or at_home - scenes else [key for key in keys if key != old]
            item[PROJECTED] = " ".join([*kept, new])
