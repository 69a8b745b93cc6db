# SPDX-License-Identifier: GPL-3.0-or-later
"""What scripts may set of a scene: read as plain values by their paths, and put back. No reference into a data-block is
kept, for whatever a script changes may be gone by then."""

from collections.abc import Iterator
from typing import Any

import bpy

DEPTH = 3  # of settings within settings: an object's modifiers, a material's nodes and their sockets
MANY = 256  # items of a collection; longer ones are of geometry
LEFT = {"rna_type", "matrix_world", "matrix_local", "matrix_basis", "dimensions", "frame_current", "frame_subframe"}
LEFT |= {"frame_float", "frame_current_final", "mode", "name", "is_evaluated", "session_uid", "frame_preview_start"}
LEFT |= {"tool_settings", "sequence_editor", "cursor"}  # an artist's, and Blender 4.2 crashes where they are read whole
LEFT |= {"original", "active_index", "use_fake_user", "asset_data", "override_library", "library", "animation_data"}


class SceneValues:
    """All settings of a scene and its objects, of what these are made of and look like, and their custom properties."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._blocks: list[tuple[bpy.types.ID, dict[str, Any], dict[str, Any]]] = [
            (block, _values(block), _own(block)) for block in _blocks(scene)
        ]

    def put_back(self) -> None:
        """Set whatever is otherwise now."""
        for block, settings, own in self._blocks:
            try:
                now = _values(block)
            except ReferenceError:  # a script has removed it
                continue
            for path, value in settings.items():
                if path in now and now[path] != value:
                    _set(block, path, value)
            for key, value in own.items():
                if block.get(key) != value:
                    block[key] = value


def _blocks(scene: bpy.types.Scene) -> Iterator[bpy.types.ID]:
    """The scene's data-blocks, each once."""
    objects = list(scene.objects)
    data = [getattr(item, "data", None) for item in objects]
    looks = [slot.material for item in objects for slot in item.material_slots]
    keys = [getattr(one, "shape_keys", None) for one in data]
    groups = list(bpy.data.node_groups)
    every = [scene, scene.world, *scene.collection.children_recursive, *objects, *data, *looks, *keys, *groups]
    yield from (block for block in dict.fromkeys(every) if block is not None and block.library is None)


def _values(block: bpy.types.ID) -> dict[str, Any]:
    """All settings of a data-block by their paths; of a scene less deeply, for it has much of the window."""
    return dict(_settings(block, "", 1 if isinstance(block, bpy.types.Scene) else DEPTH))


def _settings(struct: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """The path and value of each plain setting that may be written, those of settings within it too."""
    for item in struct.bl_rna.properties:
        name = item.identifier
        if name in LEFT:
            continue
        where = f"{path}.{name}" if path else name
        if item.type == "COLLECTION":
            yield from _items(getattr(struct, name), where, depth - 1) if depth else ()
        elif item.type == "POINTER":
            yield from _pointed(struct, item, where, depth)
        elif not item.is_readonly:
            value = getattr(struct, name)
            yield where, tuple(value) if getattr(item, "is_array", False) else value


def _items(items: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if 0 < len(items) <= MANY:
        for index, item in enumerate(items):
            if not isinstance(item, bpy.types.ID):
                yield from _settings(item, f"{path}[{index}]", depth)


def _pointed(struct: Any, item: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """A data-block that is chosen, as a value; or settings within these."""
    value = getattr(struct, item.identifier)
    if isinstance(value, bpy.types.ID) and not value.is_embedded_data:
        if not item.is_readonly:
            yield path, value
    elif value is not None and depth:
        yield from _settings(value, path, depth - 1)


def _keys(block: bpy.types.ID) -> list[str]:
    """Names of a data-block's custom properties."""
    return list(block.keys())


def _own(block: bpy.types.ID) -> dict[str, Any]:
    """Plain custom properties."""
    return {key: value for key in _keys(block) if isinstance(value := block.get(key), int | float | str | bool)}


def _set(block: bpy.types.ID, path: str, value: Any) -> None:
    holder, _, name = path.rpartition(".")
    setattr(block.path_resolve(holder) if holder else block, name, value)
