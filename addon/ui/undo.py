# SPDX-License-Identifier: GPL-3.0-or-later
"""Image Editors follow undo and redo: where these change a scene's current picture, editors show the one there is now.

Blender empties an editor whose image an undo takes away, and a redo does not bring it back. Handlers note and compare
session ids; the editors are pointed anew from a timer, for operators are not to be run in the middle of an undo.
"""

from collections.abc import Callable

import bpy
from bpy.app.handlers import persistent

from ..runtime.app import app
from ..runtime.windows import window_manager
from .image_editor import current, replace_earlier

SOON = 0.01  # seconds


class UndoListener:
    """Knows which picture each scene in a window had before an undo or redo, by session ids."""

    def __init__(self) -> None:
        self._before: dict[int, int] = {}
        self.handlers: tuple[tuple[str, Callable[..., None]], ...] = (
            ("undo_pre", persistent(lambda *_: self.note())),
            ("redo_pre", persistent(lambda *_: self.note())),
            ("undo_post", persistent(lambda *_: self.compare())),
            ("redo_post", persistent(lambda *_: self.compare())),
        )

    def note(self) -> None:
        """What each scene has now."""
        self._before = _pictures()

    def compare(self) -> None:
        """Have editors pointed anew where a scene has another picture, or none of them had one."""
        after = _pictures()
        if any(uid and uid != self._before.get(scene, 0) for scene, uid in after.items()):
            bpy.app.timers.register(_point_editors, first_interval=SOON)


def _pictures() -> dict[int, int]:
    """The current pictures of the scenes in windows: both as session ids, 0 for none."""
    scenes = {window.scene.session_uid: current(window.scene) for window in window_manager().windows}
    return {uid: 0 if picture is None else picture.session_uid for uid, picture in scenes.items()}


def _point_editors() -> None:
    for window in window_manager().windows:
        picture = current(window.scene)
        if picture is not None:
            replace_earlier(picture)


def register() -> None:
    """Listen from now on, in a window."""
    if not bpy.app.background:
        listener = UndoListener()
        app().undo_handlers = listener.handlers
        for name, handler in listener.handlers:
            getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    """Listen no more."""
    for name, handler in app().undo_handlers:
        getattr(bpy.app.handlers, name).remove(handler)
