# SPDX-License-Identifier: GPL-3.0-or-later
"""The projectors of a scene: locked cameras that each project a picture, stacked in the order they were set up.

A projector stands where the scene's camera stood, in a collection of its own that is hidden and cannot be selected;
what it projects is a node group, kept on it. Objects keep the keys of the projectors that project onto them. Every
change builds the objects' materials anew from their own ones, so that nothing is ever left over.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import bpy

from ..camera.placement import carry, release
from ..camera.reader import camera_data, view
from ..camera.view import View, numbers
from ..capture.instance_walk import Meshes
from ..capture.scene import evaluated, parts
from ..cooperative import finish
from ..custom_properties import has
from ..messages.errors import TooManyViews
from ..protocol.views import unmoved
from ..raster.instances import camera_triangles
from .depth import depth_file, depth_frustum
from .keys import PROJECTED, PROJECTOR, keys_of, next_key, pruned, tell_apart
from .materials import RESULT, SLOTS, apply_groups, mark_result, restore_slots, sweep
from .node_groups import PARTS, depth_image, layer, nearest, sight, stack, standing
from .nodes import images_of
from .receivers import Receivers, owned_by_receivers, receivers

SEEN = "seen_from"  # there: the view as numbers, for hidden cameras are not evaluated, and the frame may change
MOST = 8  # projectors a scene: each reads two images, and EEVEE holds few in one material
SENSOR = ("type", "sensor_width", "sensor_height", "sensor_fit")
LENS = (*SENSOR, "lens", "ortho_scale", "shift_x", "shift_y", "clip_start", "clip_end")


def projectors(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The scene's projectors, oldest first."""
    cameras = [item for collection in _collections(scene) for item in collection.objects if has(item, PROJECTOR)]
    return sorted(cameras, key=lambda projector: str(projector[PROJECTOR]["key"]))


def artist_cameras(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The cameras of the scene that are no projectors, of this file or of a linked one."""
    return [item for item in scene.objects if item.type == "CAMERA" and not has(item, PROJECTOR)]


def is_on(projector: bpy.types.Object) -> bool:
    """Whether what it projects is shown."""
    return bool(projector[PROJECTOR]["on"])


def projectable(
    scene: bpy.types.Scene,
    graph: bpy.types.Depsgraph,
    camera: bpy.types.Object,
    picture: bpy.types.Image | None = None,
    selected: Collection[int] = frozenset(),
) -> tuple[Receivers, list[bpy.types.Object]]:
    """What a picture of a camera's can be projected onto, and the projectors whose place it takes: that of the same
    picture, and those from the very same view.

    Raises NothingMarked, LockedObject, TooManyViews, and as ``view`` does.
    """
    onto = receivers(parts(scene, graph, Meshes(), patience=0.0), selected)
    pose = numbers(view(scene, camera, graph))
    earlier = [item for item in projectors(scene) if picture == item[PROJECTOR]["picture"] or _is_from(item, pose)]
    if len(projectors(scene)) - len(earlier) >= MOST:
        raise TooManyViews(f"{MOST} views are projected already.", "Remove one that the others cover.")
    return onto, earlier


def check_room(scene: bpy.types.Scene, graph: bpy.types.Depsgraph, cameras: Sequence[bpy.types.Object]) -> None:
    """Raises TooManyViews where a view of each camera does not fit beside those projected from elsewhere; and as
    ``view`` does."""
    poses = [numbers(view(scene, camera, graph)) for camera in cameras]
    number = sum(not any(_is_from(projector, pose) for pose in poses) for projector in projectors(scene))
    if len(cameras) + number > MOST:
        addition = f", and {number} more that are projected already," if number else ""
        message = f"{len(cameras)} cameras{addition} are more than {MOST} views."
        fix = "Select the cameras that matter most, or remove views." if number else "Select those that matter most."
        raise TooManyViews(message, fix)


def _is_from(projector: bpy.types.Object, pose: Sequence[float]) -> bool:
    """Whether that projects what a view of these numbers sees; an older Maquette kept none."""
    return unmoved(pose, tuple(projector[PROJECTOR].get(SEEN, ())))


def project(
    scene: bpy.types.Scene,
    camera: bpy.types.Object,
    picture: bpy.types.Image,
    depsgraph: bpy.types.Depsgraph | None = None,
    group: bpy.types.ShaderNodeTree | None = None,
    selected: Collection[int] = frozenset(),
) -> bpy.types.Object:
    """Project ``picture`` from where ``camera`` stands onto what it sees of the marked objects, over earlier ones.

    ``selected`` objects, by session id, are projected onto too. What belongs to another file keeps its materials.
    ``group`` is the picture as a ``new_layer``, made here and now by default. Returns the projector. A picture that is
    already projected is projected anew, and a new one takes the place of that from the very same view. Raises what
    ``projectable`` raises, before anything has changed.
    """
    graph = depsgraph or evaluated(scene)
    camera_view = view(scene, camera, graph)
    onto, earlier = projectable(scene, graph, camera, picture, selected)
    if group is None:
        instances = [part for _, part in owned_by_receivers(parts(scene, graph, Meshes()), selected)]
        triangles = finish(camera_triangles(instances, camera_view.pose, depth_frustum(camera_view)))
        group = new_layer(picture, finish(depth_file(triangles, camera_view)), camera_view)
    lit = is_lit(scene)
    projector = _set_up(scene, camera.evaluated_get(graph))
    group.name = f"Maquette {projector.name}"
    key = next_key()
    record: dict[str, object] = {
        "key": key,
        "on": True,
        "aspect": camera_view.aspect,
        "picture": picture,
        "group": group,
        "lit": lit,
    }
    record[SEEN] = numbers(camera_view)
    projector[PROJECTOR] = record
    for item in onto.objects:
        item[PROJECTED] = " ".join([*keys_of(item), key])
    remove_projectors(earlier)
    return projector


def new_layer(picture: bpy.types.Image, depth: bytes, view: View) -> bpy.types.ShaderNodeTree:
    """The group that lays ``picture`` over older ones; ``depth`` is the file of depths of what ``view`` sees."""
    parts: list[bpy.types.ShaderNodeTree] = []
    while len(parts) < PARTS:
        parts.append(next_part(picture, depth, view, parts))
    return parts[-1]


def next_part(
    picture: bpy.types.Image, depth: bytes, view: View, parts: Sequence[bpy.types.ShaderNodeTree]
) -> bpy.types.ShaderNodeTree:
    """The next of a layer's PARTS, of which the last is the layer itself."""
    if not parts:
        return mark_result(nearest(mark_result(depth_image(depth, "Maquette depth")), view, "Maquette nearest"))
    if len(parts) == 1:
        return mark_result(sight(parts[0], view, "Maquette sight"))
    if len(parts) == 2:
        return mark_result(standing(images_of(parts[0])[0], view, "Maquette standing"))
    return mark_result(layer(picture, parts[1], parts[2], "Maquette view"))


def switch(projector: bpy.types.Object, on: bool) -> None:
    """Turn a projector on or off."""
    projector[PROJECTOR]["on"] = on
    _rebuild()


def is_lit(scene: bpy.types.Scene) -> bool:
    """Whether the scene's lights shine on what is projected, which else shines by itself."""
    return any(bool(projector[PROJECTOR].get("lit", False)) for projector in projectors(scene))


def light(scene: bpy.types.Scene, lit: bool) -> None:
    """Have the scene's lights shine on what is projected, or have that shine by itself."""
    for projector in projectors(scene):
        projector[PROJECTOR]["lit"] = lit
    _rebuild()


def remove_projectors(cameras: Iterable[bpy.types.Object]) -> None:
    """Remove projectors with everything made for them; what they covered shows again.

    Without any, what an older Maquette projected is removed all the same.
    """
    cameras = list(cameras)
    _tell_apart()  # before any is gone, whose copy in another scene would pass for it
    for projector in cameras:
        data = camera_data(projector)
        collections = [collection for collection in projector.users_collection if has(collection, RESULT)]
        release(projector)
        bpy.data.objects.remove(projector)
        bpy.data.batch_remove([data] if data.users == 0 else [])
        bpy.data.batch_remove([collection for collection in collections if not collection.all_objects])
    _rebuild()


def forget_projections(items: Iterable[bpy.types.Object]) -> None:
    """Have nothing be projected onto these objects any more; they have their own materials again."""
    for item in items:
        del item[PROJECTED]
    _rebuild()


def _set_up(scene: bpy.types.Scene, camera: bpy.types.Object) -> bpy.types.Object:
    """A locked camera that sees what the evaluated ``camera`` sees, in the scene's collection of projectors."""
    name = next(name for name in (f"View {number}" for number in count(1)) if name not in bpy.data.objects)
    data = bpy.data.cameras.new(name)
    copy_lens(camera_data(camera), data)
    projector = bpy.data.objects.new(name, data)
    _collection(scene).objects.link(projector)
    carry(projector, camera.matrix_world.normalized())
    projector.lock_location = projector.lock_rotation = projector.lock_scale = (True, True, True)
    projector.lock_rotation_w = projector.hide_select = projector.hide_render = True
    return projector


def copy_lens(source: bpy.types.Camera, target: bpy.types.Camera) -> None:
    """Have one camera frame what another frames from the same place."""
    for name in LENS:
        setattr(target, name, getattr(source, name))


def _collections(scene: bpy.types.Scene) -> list[bpy.types.Collection]:
    """The scene's own collections of projectors; one that came with a linked file is not ours to change."""
    return [item for item in scene.collection.children_recursive if has(item, RESULT) and item.library is None]


def _collection(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The scene's collection of projectors, out of the way of views, renders and clicks."""
    for collection in _collections(scene):
        return collection
    collection = mark_result(bpy.data.collections.new("Maquette"))
    collection.hide_viewport = collection.hide_render = collection.hide_select = True
    scene.collection.children.link(collection)
    return collection


def _rebuild() -> None:
    """Have every object of the file show what the projectors that are on project onto it."""
    objects = [item for item in bpy.data.objects if has(item, SLOTS) or has(item, PROJECTED)]
    objects = [item for item in objects if item.library is None and item.override_library is None]
    restore_slots([item for item in objects if has(item, SLOTS)])
    sweep()  # before new copies are made, so that they get the old ones' names
    _tell_apart()
    cameras = {projector for scene in bpy.data.scenes for projector in projectors(scene)}
    records = {projector[PROJECTOR]["key"]: projector[PROJECTOR] for projector in cameras}
    by_keys: dict[tuple[str, ...], list[bpy.types.Object]] = {}
    for item in objects:
        keys = pruned(item, records)
        by_keys.setdefault(tuple(key for key in keys if records[key]["on"]), []).append(item)
    apply_groups(dict(_groups(by_keys, records)))


def _tell_apart() -> None:
    tell_apart([projectors(scene) for scene in bpy.data.scenes])


def _groups(
    by_keys: Mapping[tuple[str, ...], Iterable[bpy.types.Object]],
    records: Mapping[str, Any],
) -> Iterator[tuple[bpy.types.Object, bpy.types.ShaderNodeTree]]:
    """Each object that anything is projected onto, with one group for all that the same projectors project onto."""
    for keys, objects in by_keys.items():
        if keys:
            lit = any(bool(records[key].get("lit", False)) for key in keys)
            group = mark_result(stack([records[key]["group"] for key in keys], "Maquette projection", lit))
            yield from ((item, group) for item in objects)
