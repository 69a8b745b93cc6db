# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender does not undo itself: the picture that Image Editors show, and the favourites' marks on disk.

Blender empties an editor whose image an undo takes away, and a redo does not bring it back. Handlers note and compare
session ids; the editors are pointed anew from a timer, for operators are not to be run in the middle of an undo. A star
that comes back in a scene's history protects its picture only once the disk, by whose marks is pruned, has it too.
"""

from collections.abc import Callable, Mapping

import bpy
from bpy.app.handlers import persistent

from ..messages.errors import UserError
from ..messages.notice import notice
from ..overlay.edits import unlisten
from ..pictures import history
from ..pictures.gallery import entries
from ..runtime.app import app
from ..runtime.windows import window_manager
from ..session.reducer import notice_changed
from .image_editor import current, replace_earlier
from .operators.picture.history import files

SOON = 0.01  # seconds


class UndoListener:
    """Knows which picture each scene in a window had before an undo or redo, and which had a star, by session ids."""

    def __init__(self) -> None:
        self._before: dict[int, int] = {}
        self._starred: dict[tuple[int, str], bool] = {}
        self.handlers: tuple[tuple[str, Callable[..., None]], ...] = (
            ("undo_pre", persistent(lambda *_: self.note())),
            ("redo_pre", persistent(lambda *_: self.note())),
            ("undo_post", persistent(lambda *_: self.compare())),
            ("redo_post", persistent(lambda *_: self.compare())),
        )

    def note(self) -> None:
        """What each scene has now."""
        self._before, self._starred = _pictures(), _stars()

    def compare(self) -> None:
        """Have editors pointed anew where a scene has another picture, or none of them had one; and the disk's marks be
        those of the stars that came or went."""
        after = _pictures()
        if any(uid and uid != self._before.get(scene, 0) for scene, uid in after.items()):
            bpy.app.timers.register(_point_editors, first_interval=SOON)
        stars = {key: star for key, star in _stars().items() if self._starred.get(key, star) != star}
        if stars:
            _mark({name: star for (_, name), star in stars.items()})


def _pictures() -> dict[int, int]:
    """The current pictures of the scenes in windows: both as session ids, 0 for none."""
    scenes = {window.scene.session_uid: current(window.scene) for window in window_manager().windows}
    return {uid: 0 if picture is None else picture.session_uid for uid, picture in scenes.items()}


def _stars() -> dict[tuple[int, str], bool]:
    """Whether each picture in the history of each scene, by the scene's session id and its name, is a favourite."""
    return {(scene.session_uid, item.name): item.favourite for scene in bpy.data.scenes for item in entries(scene)}


def _mark(stars: Mapping[str, bool]) -> None:
    try:
        with files("The favourite could not be kept"):
            for name, favourite in stars.items():
                history.favour(app().gallery.folder, name, favourite)
    except UserError as error:
        app().dispatcher.apply(notice_changed, notice(error))
    app().gallery.reread()


def _point_editors() -> None:
    for scene in {window.scene.session_uid: window.scene for window in window_manager().windows}.values():
        picture = current(scene)
        if picture is not None:
            replace_earlier(scene, picture)


def register() -> None:
    """Listen from now on, in a window."""
    if not bpy.app.background:
        listener = UndoListener()
        app().undo_handlers = listener.handlers
        for name, handler in listener.handlers:
            getattr(bpy.app.handlers, name).append(handler)


def unregister() -> None:
    """Listen no more."""
    unlisten(app().undo_handlers)
