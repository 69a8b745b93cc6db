# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's handlers that hear of edits, and tell whoever keeps up with them."""

from collections.abc import Callable, Sequence
from typing import Protocol

import bpy
from bpy.app.handlers import persistent

Handler = Callable[..., None]


class Follower(Protocol):
    """Who keeps up with edits."""

    def touch(self, scene: int, reshaped: bool) -> None:
        """Something in the scene of that session id has changed; ``reshaped`` when it may be a mesh."""

    def forget(self) -> None:
        """Everything may have changed: after undo and redo."""

    def leave(self) -> None:
        """Session ids are those of another file now: after File > Open."""


def listen(follower: Follower) -> tuple[tuple[str, Handler], ...]:
    """Have Blender tell ``follower`` of edits. Returns what ``unlisten`` needs: lists of handlers, and ours in each."""

    def changed(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
        follower.touch(scene.session_uid, any(update.is_updated_geometry for update in depsgraph.updates))

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


def unlisten(handlers: Sequence[tuple[str, Handler]]) -> None:
    """Have Blender call these handlers no more."""
    for name, handler in handlers:
        getattr(bpy.app.handlers, name).remove(handler)
