# SPDX-License-Identifier: GPL-3.0-or-later
"""The projectors of a scene: locked cameras that each throw a picture, stacked in the order they were set up.

A projector stands where the scene's camera stood, in a collection of its own that is hidden and cannot be selected;
what it throws is a node group, kept on it. Objects keep the keys of the projectors that throw onto them. Every change
dresses the objects anew from their own materials, so that nothing is ever left over.
"""

import time
from collections.abc import Iterable, Iterator
from itertools import count

import bpy

from ..camera.reader import view
from ..capture.scene import evaluated, geometry
from ..messages.errors import NothingMarked, TooManyViews
from .materials import RESULT, SLOTS, check_things, dress, made, sweep, undress
from .node_groups import depth_image, layer, stack

PROJECTOR = "maquette_projector"  # on a projector: its key, node group, picture, aspect, and whether it is on
THROWN = "maquette_thrown"  # on an object: keys of the projectors that throw onto it
MOST = 8  # projectors a scene: each reads two images, and EEVEE holds few in one material
SENSOR = ("type", "sensor_width", "sensor_height", "sensor_fit")
LENS = (*SENSOR, "lens", "ortho_scale", "shift_x", "shift_y", "clip_start", "clip_end")


def projectors(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The scene's projectors, oldest first."""
    homes = [home for home in scene.collection.children_recursive if RESULT in home and home.library is None]
    found = [thing for home in homes for thing in home.objects if PROJECTOR in thing]
    return sorted(found, key=lambda projector: str(projector[PROJECTOR]["key"]))


def is_on(projector: bpy.types.Object) -> bool:
    """Whether what it throws is shown."""
    return bool(projector[PROJECTOR]["on"])


def project(
    scene: bpy.types.Scene,
    camera: bpy.types.Object,
    picture: bpy.types.Image,
    depsgraph: bpy.types.Depsgraph | None = None,
) -> bpy.types.Object:
    """Throw ``picture`` from where ``camera`` stands onto the marked things it sees, over earlier ones.

    Returns the projector. A picture that is already thrown is thrown anew. Raises NothingMarked, PanoramicCamera,
    LockedObject and TooManyViews, before anything has changed.
    """
    graph = depsgraph or evaluated(scene)
    seen = view(scene, camera, graph)
    shapes = geometry(scene, graph, seen)
    things = list(dict.fromkeys(thing for sources in shapes.sources for thing in sources))
    if not things:
        raise NothingMarked("There is no marked thing to project onto.", "Select objects and press Add Selected.")
    check_things(things)
    earlier = [projector for projector in projectors(scene) if projector[PROJECTOR]["picture"] == picture]
    if len(projectors(scene)) - len(earlier) >= MOST:
        raise TooManyViews(f"{MOST} views are projected already.", "Remove one that the others cover.")
    projector = _set_up(scene, camera.evaluated_get(graph))
    depth = made(depth_image(shapes.triangles, seen, "Maquette depth"))
    group = made(layer(picture, depth, seen, f"Maquette {projector.name}"))
    key = f"{time.time_ns():x}"
    record = {"key": key, "on": True, "aspect": seen.aspect, "picture": picture, "group": group}
    projector[PROJECTOR] = record
    for thing in things:
        thing[THROWN] = " ".join([*_keys(thing), key])
    _take_down(earlier)
    return projector


def switch(projector: bpy.types.Object, on: bool) -> None:
    """Turn a projector on or off."""
    projector[PROJECTOR]["on"] = on
    _redress()


def take_down(projector: bpy.types.Object) -> None:
    """Remove a projector with everything made for it; what it covered shows again."""
    _take_down([projector])


def take_all_down(scene: bpy.types.Scene) -> None:
    """Remove the scene's projectors, and what an older Maquette projected; objects have their own materials again."""
    _take_down(projectors(scene))


def _set_up(scene: bpy.types.Scene, camera: bpy.types.Object) -> bpy.types.Object:
    """A locked camera that sees what the evaluated ``camera`` sees, in the scene's collection of projectors."""
    name = next(name for name in (f"View {number}" for number in count(1)) if name not in bpy.data.objects)
    projector = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    copy_lens(camera.data, projector.data)
    projector.matrix_basis = camera.matrix_world.normalized()
    projector.lock_location = projector.lock_rotation = projector.lock_scale = (True, True, True)
    projector.lock_rotation_w = projector.hide_select = projector.hide_render = True
    _home(scene).objects.link(projector)
    return projector


def copy_lens(source: bpy.types.Camera, target: bpy.types.Camera) -> None:
    """Have one camera frame what another frames from the same place."""
    for name in LENS:
        setattr(target, name, getattr(source, name))


def _home(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The scene's collection of projectors, out of the way of views, renders and clicks."""
    for home in scene.collection.children_recursive:
        if RESULT in home and home.library is None:
            return home
    home = made(bpy.data.collections.new("Maquette"))
    home.hide_viewport = home.hide_render = home.hide_select = True
    scene.collection.children.link(home)
    return home


def _take_down(gone: Iterable[bpy.types.Object]) -> None:
    for projector in gone:
        eye = projector.data
        homes = [home for home in projector.users_collection if RESULT in home]
        bpy.data.objects.remove(projector)
        bpy.data.batch_remove([eye] if eye.users == 0 else [])
        bpy.data.batch_remove([home for home in homes if not home.all_objects])
    _redress()


def _redress() -> None:
    """Have every object of the file show what the projectors that are on throw onto it."""
    things = [thing for thing in bpy.data.objects if SLOTS in thing or THROWN in thing]
    things = [thing for thing in things if thing.library is None and thing.override_library is None]
    undress([thing for thing in things if SLOTS in thing])
    sweep()  # before dressing, so that the new copies get the old ones' names
    everyone = {projector for scene in bpy.data.scenes for projector in projectors(scene)}
    records = {projector[PROJECTOR]["key"]: projector[PROJECTOR] for projector in everyone}
    worn: dict[tuple[str, ...], list[bpy.types.Object]] = {}
    for thing in things:
        keys = _pruned(thing, records)
        worn.setdefault(tuple(key for key in keys if records[key]["on"]), []).append(thing)
    dress(dict(_outfits(worn, records)))


def _pruned(thing: bpy.types.Object, records: Iterable[str]) -> list[str]:
    """The keys on ``thing`` that still are a projector's, oldest first; the others are taken off it."""
    keys = sorted(key for key in _keys(thing) if key in records)
    if keys:
        thing[THROWN] = " ".join(keys)
    elif THROWN in thing:
        del thing[THROWN]
    return keys


def _outfits(
    worn: dict[tuple[str, ...], list[bpy.types.Object]], records: dict[str, dict[str, bpy.types.ShaderNodeTree]]
) -> Iterator[tuple[bpy.types.Object, bpy.types.ShaderNodeTree]]:
    for keys, things in worn.items():
        if keys:
            group = made(stack([records[key]["group"] for key in keys], "Maquette projection"))
            yield from ((thing, group) for thing in things)


def _keys(thing: bpy.types.Object) -> list[str]:
    return str(thing.get(THROWN, "")).split()
