# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects in copies of their materials with a projection spliced in, and in their own again.

Nothing of the artist's is edited: the copies go into slots that belong to the object, and what the slots held is kept
on it. What the artist has put into a slot since stays there.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import bpy

from ..compat import ensure_nodes
from ..custom_properties import has
from ..data_blocks import is_saved
from ..messages.errors import LockedObject
from .node_groups import splice

RESULT = "maquette_result"  # on every data-block made for a result
SLOTS = "maquette_slots"  # on an object: what its slots held

Tagged = TypeVar("Tagged", bound=bpy.types.ID)


def check(items: Sequence[bpy.types.ID]) -> None:
    """Raise LockedObject for the first that is linked from another file, or overrides what is."""
    for item in items:
        if not is_saved(item):
            raise LockedObject(
                f"{item.name} belongs to another file.",
                "Make it local (Object > Relations > Make Local), or leave it unmarked.",
                item.name,
            )


def check_objects(objects: Sequence[bpy.types.Object]) -> None:
    """Raise LockedObject for the first that takes no projection. Data without a slot is given one, and matters too."""
    check([*objects, *(data_of(item) for item in objects if not item.material_slots)])


def data_of(item: bpy.types.Object) -> Any:
    """An object's data: a mesh or another of the many types of data-block that have materials."""
    return item.data


def mark_result(block: Tagged) -> Tagged:
    """Remember that ``block`` was made for a result."""
    block[RESULT] = True
    return block


def apply_groups(groups: Mapping[bpy.types.Object, bpy.types.ShaderNodeTree]) -> None:
    """Give each object's slots copies of their materials with its group spliced in; one copy a material and group."""
    bare = [item for item in groups if not item.material_slots]
    copies: dict[tuple[bpy.types.Material | None, bpy.types.ShaderNodeTree], bpy.types.Material] = {}
    for item, group in groups.items():
        if not item.material_slots:  # objects that share their data share the slot
            data_of(item).materials.append(None)
        item[SLOTS] = {"bare": item in bare, "slots": [_content(slot) for slot in item.material_slots]}
        for slot in item.material_slots:
            key = (slot.material, group)
            if key not in copies:
                copies[key] = _copy(slot.material)
                splice(copies[key], group)
            slot.link = "OBJECT"
            slot.material = copies[key]


def restore_slots(objects: Sequence[bpy.types.Object]) -> None:
    """Give slots what they held, and forget it; slots may have come and gone since."""
    for item in objects:
        for slot, content in zip(item.material_slots, item[SLOTS]["slots"], strict=False):
            link, slot.link = slot.link, "OBJECT"
            if slot.material is None or has(slot.material, RESULT):
                link, slot.material = content["link"], content.get("material")
            slot.link = link
    for item in objects:  # in a second round, for objects may share their data
        if item[SLOTS]["bare"] and list(data_of(item).materials) == [None]:
            data_of(item).materials.clear()  # pop() would leave the objects' own slots behind
        del item[SLOTS]


def sweep() -> None:
    """Delete what was made for a result and is in no use any more."""
    groups = bpy.data.node_groups
    for blocks in (bpy.data.materials, *(groups,) * 4, bpy.data.images):  # in this order each frees the next
        bpy.data.batch_remove([block for block in blocks if has(block, RESULT) and block.users == 0])


def _content(slot: bpy.types.MaterialSlot) -> dict[str, str | bpy.types.Material]:
    """What ``restore_slots`` needs: where the slot looks, and the material that the object itself keeps for it."""
    link = slot.link
    slot.link = "OBJECT"
    content: dict[str, str | bpy.types.Material] = {"link": link}
    if slot.material is not None:
        content["material"] = slot.material
    slot.link = link
    return content


def _copy(material: bpy.types.Material | None) -> bpy.types.Material:
    """A copy with nodes; what Blender shows in an empty slot where there is nothing to copy."""
    copy = bpy.data.materials.new("Maquette") if material is None else material.copy()
    if material is not None:
        copy.name = f"{material.name} Maquette"
    ensure_nodes(copy)
    return mark_result(copy)
