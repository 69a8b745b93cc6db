# SPDX-License-Identifier: MIT
"""Stars and choices in the history: what the disk has after an undo, and what counts of a choice that nobody sees."""

from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest

from addon.messages.errors import ReferenceGone
from addon.pictures import gallery, history
from addon.pictures.history import Entry, Thumb
from addon.regions.marks import TAKEN_FROM, mark
from addon.request.settings import DEFAULTS
from addon.runtime import timers
from addon.runtime.app import App
from addon.ui.undo import UndoListener
from tests.addon.hosts.sample_scenes import box, fresh
from tests.addon.session.samples import blockout

EARLIER = "1" * 64
ENTRY = Entry(
    name=EARLIER, created=0.0, request=blockout(), settings=DEFAULTS, pose=(), thumb=Thumb(width=1, height=1, data="")
)


@pytest.fixture
def folder(application: App) -> Path:
    """The history's: it has a picture of a castle, and so has the scene."""
    scene = fresh()
    mark(box("castle", (0, 0, 0)))
    gallery.remember(scene, ENTRY)
    application.gallery.keep(ENTRY)
    (application.gallery.folder / f"{EARLIER}.png").write_bytes(b"")
    return application.gallery.folder


@pytest.fixture
def listening(application: App) -> Iterator[UndoListener]:
    """What a window has."""
    listener = UndoListener()
    for name, handler in listener.handlers:
        getattr(bpy.app.handlers, name).append(handler)
    yield listener
    for name, handler in listener.handlers:
        getattr(bpy.app.handlers, name).remove(handler)


def test_a_star_that_undo_brings_back_protects_its_picture_again(listening: UndoListener, folder: Path) -> None:
    for favourite in (True, False):
        assert bpy.ops.maquette.favour(name=EARLIER) == {"FINISHED"}
        bpy.ops.ed.undo_push(message=f"favourite: {favourite}")
    assert not history.is_favourite(folder, EARLIER)
    for step, favourite in ((bpy.ops.ed.undo, True), (bpy.ops.ed.redo, False)):
        step()
        assert bpy.context.scene.maquette_history[EARLIER].favourite is favourite
        assert history.is_favourite(folder, EARLIER) is favourite


def test_undo_leaves_alone_what_another_blender_has_marked(listening: UndoListener, folder: Path) -> None:
    for step in ("before", "after"):
        bpy.context.scene.name = step
        bpy.ops.ed.undo_push(message=step)
    history.favour(folder, EARLIER, True)
    bpy.ops.ed.undo()
    assert bpy.context.scene.name == "before" and history.is_favourite(folder, EARLIER)


def test_a_choice_counts_while_it_is_on_the_page(application: App, folder: Path) -> None:
    castle, manager = bpy.data.objects["castle"], bpy.context.window_manager
    take = bpy.ops.maquette.take_region
    assert bpy.ops.maquette.choose_entry(name=EARLIER) == {"FINISHED"}
    manager.maquette_favourites = True  # which it is not
    assert take(uid=str(castle.session_uid)) == {"CANCELLED"}
    assert application.session.notice is not None and application.session.notice.code == ReferenceGone.code
    manager.maquette_favourites = False
    assert take(uid=str(castle.session_uid)) == {"FINISHED"} and castle[TAKEN_FROM] == EARLIER


def test_a_choice_is_forgotten_with_its_picture_and_with_the_file(application: App, folder: Path) -> None:
    application.gallery.chosen = EARLIER
    assert bpy.ops.maquette.delete_entry(name="2" * 64) == {"FINISHED"} and application.gallery.chosen == EARLIER
    assert bpy.ops.maquette.delete_entry(name=EARLIER) == {"FINISHED"} and application.gallery.chosen == ""
    application.gallery.chosen = EARLIER
    timers.register()
    fresh()
    timers.unregister()
    assert application.gallery.chosen == ""
