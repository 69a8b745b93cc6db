# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene at another frame, and back again as it was.

A frame change brings the camera that a marker binds, and sets every animated property to what its curves say. So the
camera is put back, and the values that an artist has given animated properties without a key.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ..compat import curves


@contextmanager
def at(scene: bpy.types.Scene, frame: int | None) -> Iterator[None]:
    """The scene at ``frame``, None as it stands, and back."""
    current, part, camera = scene.frame_current, scene.frame_subframe, scene.camera
    if frame is None or (frame == current and part == 0.0):
        yield
        return
    values = _animated_values()
    scene.frame_set(frame)
    try:
        yield
    finally:
        scene.frame_set(current, subframe=part)
        scene.camera = camera
        for (block, path, index), value in values.items():
            if _value(block, path, index) != value:
                _give(block, path, index, value)


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
