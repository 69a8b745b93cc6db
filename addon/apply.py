# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture into the artist's scene, and out again: behind the camera, and projected onto the marked things.

Nothing of the artist's is edited. Objects get copies of their materials, with the projection spliced in, in slots that
belong to the object; what the slots held is kept on it. ``remove`` puts it back and deletes everything made here.
"""

from collections.abc import Iterator
from pathlib import Path

import bpy

from .layout import CaptureError, NothingMarked
from .marks import collections
from .projection import depth_image, projector, splice
from .scene import evaluated, geometry, view

RESULT = "maquette_result"  # on every material, group and depth image made here
SLOTS = "maquette_slots"  # on an object: what its slots held
BACKGROUND = "maquette_background"  # on a camera's data: our picture, and whether it showed others before
OPACITY = 0.5  # of the picture over the camera's view, so that the blocks stay visible


class LockedObject(CaptureError):
    """The object or camera belongs to a linked library, where nothing may be changed."""


def apply_result(scene: bpy.types.Scene, camera: bpy.types.Object, picture: Path) -> bpy.types.Image:
    """Load ``picture``, an image file of the camera's frame, pack it, show it in the camera and project it.

    Takes the place of an earlier result. Raises as ``background`` and ``project`` do.
    """
    image = bpy.data.images.load(str(picture))
    image.name = "Maquette"
    image.pack()
    background(camera, image)
    project(scene, camera, image)
    return image


def background(camera: bpy.types.Object, picture: bpy.types.Image) -> None:
    """Show ``picture`` over what ``camera`` sees, in place of an earlier one. Raises LockedObject."""
    _check([camera.data])
    data = camera.data
    if BACKGROUND in data:
        _hide(data)
    data[BACKGROUND] = {"shown": data.show_background_images, "picture": picture}
    data.show_background_images = True
    shown = data.background_images.new()
    shown.image, shown.alpha = picture, OPACITY
    # whole pixels bend the picture's aspect a little; stretched, it lies on the frame exactly
    shown.display_depth, shown.frame_method = "FRONT", "STRETCH"


def project(
    scene: bpy.types.Scene,
    camera: bpy.types.Object,
    picture: bpy.types.Image,
    depsgraph: bpy.types.Depsgraph | None = None,
) -> None:
    """Throw ``picture`` from ``camera`` onto the marked things it sees, in place of an earlier projection.

    Raises NothingMarked, PanoramicCamera and LockedObject, before anything has changed.
    """
    graph = depsgraph or evaluated(scene)
    seen = view(scene, camera, graph)
    shapes = geometry(scene, graph, seen)
    things = list(dict.fromkeys(thing for sources in shapes.sources for thing in sources))
    if not things:
        raise NothingMarked("There is no marked thing to project onto.", "Select objects and press Add Selected.")
    _check([*things, *(thing.data for thing in things)])
    _unproject(scene)
    depth = _made(depth_image(shapes.triangles, seen, "Maquette depth"))
    _dress(things, _made(projector(picture, depth, seen, "Maquette projection")))


def remove(scene: bpy.types.Scene) -> None:
    """Take projections and backgrounds out of the scene, and give every slot and camera what it had.

    The picture itself stays in the file until it is saved, or longer where something else uses it.
    """
    _unproject(scene)
    for thing in _things(scene):
        if thing.type == "CAMERA" and BACKGROUND in thing.data:
            _hide(thing.data)


def _unproject(scene: bpy.types.Scene) -> None:
    dressed = [thing for thing in _things(scene) if SLOTS in thing]
    for thing in dressed:
        _refill(thing)
    for thing in dressed:  # in a second round, for objects may share their data
        _undress(thing)
    for kind in (bpy.data.materials, bpy.data.node_groups, bpy.data.images):  # in this order each frees the next
        bpy.data.batch_remove([item for item in kind if RESULT in item and item.users == 0])


def _check(items: list[bpy.types.ID]) -> None:
    for item in items:
        if not item.is_editable:
            raise LockedObject(
                f"{item.name} belongs to another file.",
                "Make it local (Object > Relations > Make Local), or take its mark away.",
                item.name,
            )


def _things(scene: bpy.types.Scene) -> Iterator[bpy.types.Object]:
    yield from {thing: None for collection in collections(scene) for thing in collection.objects}


def _made(item: bpy.types.ID) -> bpy.types.ID:
    item[RESULT] = True
    return item


def _hide(camera: bpy.types.Camera) -> None:
    kept = camera[BACKGROUND]
    for shown in [shown for shown in camera.background_images if shown.image == kept["picture"]]:
        camera.background_images.remove(shown)
    camera.show_background_images = kept["shown"]
    del camera[BACKGROUND]


def _dress(things: list[bpy.types.Object], group: bpy.types.ShaderNodeTree) -> None:
    """Give each thing's slots copies of their materials with ``group`` spliced in; one copy a material."""
    copies: dict[bpy.types.Material | None, bpy.types.Material] = {}
    for thing in things:
        bare = not thing.material_slots
        if bare:
            thing.data.materials.append(None)
        thing[SLOTS] = {"bare": bare, "slots": [_held(slot) for slot in thing.material_slots]}
        for slot in thing.material_slots:
            own = slot.material
            if own not in copies:
                copies[own] = _copy(own)
                splice(copies[own], group)
            slot.link = "OBJECT"
            slot.material = copies[own]


def _held(slot: bpy.types.MaterialSlot) -> dict[str, str | bpy.types.Material]:
    """What ``_refill`` needs: where the slot looks, and the material that the object itself keeps for it."""
    link = slot.link
    slot.link = "OBJECT"
    kept = {"link": link} if slot.material is None else {"link": link, "material": slot.material}
    slot.link = link
    return kept


def _refill(thing: bpy.types.Object) -> None:
    """Give the slots what they held; slots may have come and gone since."""
    for slot, held in zip(thing.material_slots, thing[SLOTS]["slots"], strict=False):
        slot.link = "OBJECT"
        slot.material = held.get("material")
        slot.link = held["link"]


def _undress(thing: bpy.types.Object) -> None:
    """Forget what the slots held; take away the slot that was added where there was none."""
    if thing[SLOTS]["bare"] and len(thing.data.materials) == 1:
        thing.data.materials.clear()  # pop() would leave the objects' own slots behind
    del thing[SLOTS]


def _copy(own: bpy.types.Material | None) -> bpy.types.Material:
    """A copy with nodes; what Blender shows in an empty slot where there is nothing to copy."""
    made = bpy.data.materials.new("Maquette") if own is None else own.copy()
    if own is not None:
        made.name = f"{own.name} Maquette"
    if bpy.app.version < (5, 0) and not made.use_nodes:  # from 5.0 on every material has nodes
        _give_nodes(made)
    return _made(made)


def _give_nodes(material: bpy.types.Material) -> None:
    """Say with nodes what a material without them looks like."""
    material.use_nodes = True
    surface = next(node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    surface.inputs["Base Color"].default_value = material.diffuse_color
    surface.inputs["Metallic"].default_value = material.metallic
    surface.inputs["Roughness"].default_value = material.roughness
