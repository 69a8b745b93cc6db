# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's handlers that hear of edits, and tell whoever keeps up with them."""

from collections.abc import Callable, Sequence
from typing import Protocol

import bpy
from bpy.app.handlers import persistent

Handler = Callable[..., None]


class Follower(Protocol):
    """Who keeps up with edits."""

    def touch(self, scene: int, reshaped: bool, moved: frozenset[int] | None = None) -> None:
        """Something in the scene of that session id has changed; ``reshaped`` when it may be a mesh, and ``moved`` are
        the session ids of objects where these have moved and that is all."""

    def forget(self) -> None:
        """Everything may have changed: after undo and redo."""

    def leave(self) -> None:
        """Session ids are those of another file now: after File > Open."""


def listen(follower: Follower) -> tuple[tuple[str, Handler], ...]:
    """Have Blender tell ``follower`` of edits. Returns what ``unlisten`` needs: lists of handlers, and ours in each."""

    def changed(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
        updates = [update for update in depsgraph.updates if _is_seen(update.id)]
        reshaped = any(update.is_updated_geometry for update in updates)
        follower.touch(scene.session_uid, reshaped, _moved(updates))

    def replaced(*_: object) -> None:
        follower.forget()

    def opened(*_: object) -> None:
        follower.leave()

    handlers: tuple[tuple[str, Handler], ...] = (
        ("depsgraph_update_post", changed),
        ("frame_change_post", changed),
        ("undo_post", replaced),
        ("redo_post", replaced),
        ("load_post", opened),
    )
    for name, handler in handlers:
        getattr(bpy.app.handlers, name).append(persistent(handler))
    return handlers


def listen_again(handlers: Sequence[tuple[str, Handler]]) -> bool:
    """Have Blender call those of ``handlers`` again that a script has taken from it, as scripts clear a whole list;
    whether there were any."""
    lost = [(name, handler) for name, handler in handlers if handler not in getattr(bpy.app.handlers, name)]
    for name, handler in lost:
        getattr(bpy.app.handlers, name).append(handler)
    return bool(lost)


def unlisten(handlers: Sequence[tuple[str, Handler]]) -> None:
    """Have Blender call these handlers no more."""
    for name, handler in handlers:
        if handler in (calling := getattr(bpy.app.handlers, name)):
            calling.remove(handler)


def _moved(updates: Sequence[bpy.types.DepsgraphUpdate]) -> frozenset[int] | None:
    """The session ids of the objects that have moved; None where anything else has changed."""
    moved = set()
    for update in updates:
        original = update.id.original  # what is evaluated has no session id
        if not isinstance(original, bpy.types.Object) or _changes_look(update) or not update.is_updated_transform:
            return None
        moved.add(original.session_uid)
    return frozenset(moved)


def _changes_look(update: bpy.types.DepsgraphUpdate) -> bool:
    return update.is_updated_geometry or update.is_updated_shading


def _is_seen(block: bpy.types.ID | None) -> bool:
    """Whether it is, or may be a part of, what a camera sees: not a camera itself, a light, or a world."""
    if isinstance(block, bpy.types.Object):
        return block.type not in {"CAMERA", "LIGHT"}
    return not isinstance(block, bpy.types.Camera | bpy.types.Light | bpy.types.World)
