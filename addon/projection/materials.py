# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects in copies of their materials with a projection spliced in, and in their own again.

Nothing of the artist's is edited: the copies go into slots that belong to the object, and what the slots held is kept
on it. What the artist has put into a slot since stays there.
"""

from collections.abc import Mapping, Sequence

import bpy

from ..messages.errors import LockedObject
from .node_groups import splice

RESULT = "maquette_result"  # on every data-block made for a result
SLOTS = "maquette_slots"  # on an object: what its slots held


def check(items: Sequence[bpy.types.ID]) -> None:
    """Raise LockedObject for the first that is linked from another file, or overrides what is."""
    for item in items:
        # Blender would let an override be changed, and forget on saving what its slots held
        if not item.is_editable or item.override_library is not None:
            raise LockedObject(
                f"{item.name} belongs to another file.",
                "Make it local (Object > Relations > Make Local), or leave it unmarked.",
                item.name,
            )


def check_things(things: Sequence[bpy.types.Object]) -> None:
    """Raise LockedObject for the first that cannot be dressed; data without a slot is given one, and so matters too."""
    check([*things, *(thing.data for thing in things if not thing.material_slots)])


def made(item: bpy.types.ID) -> bpy.types.ID:
    """Remember that ``item`` is ours."""
    item[RESULT] = True
    return item


def dress(outfits: Mapping[bpy.types.Object, bpy.types.ShaderNodeTree]) -> None:
    """Give each object's slots copies of their materials with its group spliced in; one copy a material and group."""
    bare = [thing for thing in outfits if not thing.material_slots]
    copies: dict[tuple[bpy.types.Material | None, bpy.types.ShaderNodeTree], bpy.types.Material] = {}
    for thing, group in outfits.items():
        if not thing.material_slots:  # objects that share their data share the slot
            thing.data.materials.append(None)
        thing[SLOTS] = {"bare": thing in bare, "slots": [_held(slot) for slot in thing.material_slots]}
        for slot in thing.material_slots:
            key = (slot.material, group)
            if key not in copies:
                copies[key] = _copy(slot.material)
                splice(copies[key], group)
            slot.link = "OBJECT"
            slot.material = copies[key]


def undress(things: Sequence[bpy.types.Object]) -> None:
    """Give slots what they held, and forget it; slots may have come and gone since."""
    for thing in things:
        for slot, held in zip(thing.material_slots, thing[SLOTS]["slots"], strict=False):
            link, slot.link = slot.link, "OBJECT"
            if slot.material is None or RESULT in slot.material:
                link, slot.material = held["link"], held.get("material")
            slot.link = link
    for thing in things:  # in a second round, for objects may share their data
        if thing[SLOTS]["bare"] and list(thing.data.materials) == [None]:
            thing.data.materials.clear()  # pop() would leave the objects' own slots behind
        del thing[SLOTS]


def sweep() -> None:
    """Delete what was made for a result and is in no use any more."""
    groups = bpy.data.node_groups
    for kind in (bpy.data.materials, groups, groups, bpy.data.images):  # in this order each frees the next
        bpy.data.batch_remove([item for item in kind if RESULT in item and item.users == 0])


def _held(slot: bpy.types.MaterialSlot) -> dict[str, str | bpy.types.Material]:
    """What ``undress`` needs: where the slot looks, and the material that the object itself keeps for it."""
    link = slot.link
    slot.link = "OBJECT"
    kept = {"link": link} if slot.material is None else {"link": link, "material": slot.material}
    slot.link = link
    return kept


def _copy(own: bpy.types.Material | None) -> bpy.types.Material:
    """A copy with nodes; what Blender shows in an empty slot where there is nothing to copy."""
    made_of = bpy.data.materials.new("Maquette") if own is None else own.copy()
    if own is not None:
        made_of.name = f"{own.name} Maquette"
    if bpy.app.version < (5, 0) and not made_of.use_nodes:  # from 5.0 on every material has nodes
        _give_nodes(made_of)
    return made(made_of)


def _give_nodes(material: bpy.types.Material) -> None:
    """Say with nodes what a material without them looks like."""
    material.use_nodes = True
    surface = next(node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    surface.inputs["Base Color"].default_value = material.diffuse_color
    surface.inputs["Metallic"].default_value = material.metallic
    surface.inputs["Roughness"].default_value = material.roughness
