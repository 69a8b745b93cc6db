# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene at another frame, and back again as it was.

A frame change brings the camera that a marker binds, and sets every animated property to what its curves say; handlers
of other add-ons and of scripts in the file may set anything. So the camera is put back, and the values that an artist
has given animated properties without a key; where there are such handlers, all other values too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ..compat import curves
from .scene_values import SceneValues


@contextmanager
def at(scene: bpy.types.Scene, frame: int | None) -> Iterator[None]:
    """The scene at ``frame``, None as it stands, and back."""
    current, part, camera = scene.frame_current, scene.frame_subframe, scene.camera
    if frame is None:
        yield
        return
    is_there = frame == current and part == 0.0
    values = {} if is_there else _animated_values()
    others = SceneValues(scene) if not is_there and foreign_handlers() else None
    if is_there:
        scene.camera = bound_camera(scene) or camera
    else:
        scene.frame_set(frame)
    try:
        yield
    finally:
        if not is_there:
            scene.frame_set(current, subframe=part)
        scene.camera = camera
        for (block, path, index), value in values.items():
            if _value(block, path, index) != value:
                _give(block, path, index, value)
        if others is not None:
            others.put_back()
            for layer in scene.view_layers:
                layer.update()


def bound_camera(scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The camera through which renders of the scene's frame look by its markers: the last one bound until then, else
    the first one bound later; None where none is."""
    markers = [one for one in scene.timeline_markers if one.camera is not None and not one.camera.hide_render]
    before = [one for one in markers if one.frame <= scene.frame_current]
    chosen = max(before, key=lambda one: one.frame, default=None) or min(
        markers, key=lambda one: one.frame, default=None
    )
    return None if chosen is None else chosen.camera


def foreign_handlers() -> bool:
    """Whether anybody else's code runs when frames change."""
    own = __package__.split(".capture")[0]
    handlers = (*bpy.app.handlers.frame_change_pre, *bpy.app.handlers.frame_change_post)
    return any(not str(getattr(one, "__module__", "")).startswith(own) for one in handlers)


def _animated_values() -> dict[tuple[bpy.types.ID, str, int], Any]:
    """What every property is that curves animate, by its data-block, path and index."""
    values = {}
    for block in _animated():
        for path, index in curves(block.animation_data):
            value = _value(block, path, index)
            if value is not None:
                values[block, path, index] = value
    return values


def _animated() -> Iterator[Any]:
    """Every data-block of the file that has animation, those inside others too."""
    for block in bpy.data.user_map():
        for owner in (block, getattr(block, "node_tree", None), getattr(block, "shape_keys", None)):
            if owner is not None and getattr(owner, "animation_data", None) is not None:
                yield owner


def _value(block: bpy.types.ID, path: str, index: int) -> Any:
    """A property's value, or that of one of its elements; None where there is none by that path."""
    try:
        value = block.path_resolve(path)
        return value[index] if hasattr(value, "__len__") and not isinstance(value, str) else value
    except (ValueError, IndexError):
        return None


def _give(block: bpy.types.ID, path: str, index: int, value: Any) -> None:
    """Set a property, or one of its elements."""
    if path.endswith('"]'):  # one without a definition
        holder, _, key = path[:-2].rpartition('["')
        name, owner = key, _holder(block, holder)
        if hasattr(owner[name], "__len__") and not isinstance(owner[name], str):
            owner[name][index] = value
        else:
            owner[name] = value
        return
    holder, _, name = path.rpartition(".")
    owner = _holder(block, holder)
    present = getattr(owner, name)
    if hasattr(present, "__len__") and not isinstance(present, str):
        present[index] = value
    else:
        setattr(owner, name, value)


def _holder(block: bpy.types.ID, path: str) -> Any:
    return block.path_resolve(path) if path else block
