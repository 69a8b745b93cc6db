# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the courier's coroutines inside Blender: in slices from a timer, or to their end in the background.

Blender's Python has no safe threads and its timers do not tick in the background; one asyncio loop serves both. The
timer is persistent, for others die with the file they were started in.
"""

import gc
import traceback
from collections.abc import Callable
from pathlib import Path

import bpy

from ..extension import EXTENSION
from ..messages.notice import Notice
from ..messages.sentences import stumbled
from ..pictures.pixels import wake
from ..session.reducer import notice_changed
from .app import App, app, log
from .windows import occupied, redraw

ACTIVE, IDLE = 0.02, 0.5  # seconds between two slices


def register() -> None:
    """Set up the desk, and in a window its timer."""
    folder = Path(bpy.utils.extension_path_user(EXTENSION, create=True))
    bpy.types.WindowManager.maquette = App(folder)
    if not bpy.app.background:
        bpy.app.timers.register(wake, first_interval=ACTIVE)  # later than the splash screen, which may have done so
        bpy.app.timers.register(_tick, first_interval=ACTIVE, persistent=True)


def unregister() -> None:
    """Clear the desk away."""
    for timer in (wake, _tick):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    calm(False)
    app().close()
    del bpy.types.WindowManager.maquette


def guarded(work: Callable[[], float]) -> float:
    """Do a timer's work and pass on its pace. A timer that raises is dropped by Blender, and what it keeps up to date
    would stay as it is for ever: what goes wrong is said where the artist looks, and tried again."""
    try:
        return work()
    except Exception as error:
        log.exception("a timer met an error")
        app().dispatcher.apply(notice_changed, stumble(error))
        return IDLE


def _tick() -> float:
    station, before = app(), app().session
    pace = guarded(_slice)
    if station.session.busy != station.calmed:
        station.calmed = station.session.busy
        calm(station.calmed)
    if station.session != before:
        redraw()
    return pace


def calm(busy: bool) -> None:
    """While a picture is painted, keep what Blender already holds out of Python's full collections.

    Each would go through all of it, every add-on's things too, and hold the window for up to 50 ms.
    """
    if busy:
        gc.freeze()
    else:
        gc.unfreeze()


def _slice() -> float:
    station = app()
    station.event_loop.once()
    receive()
    station.preview_image.develop(station.session.preview)
    if fresh := station.gallery.tick(bpy.context.window_manager):
        redraw()
    return ACTIVE if fresh or station.session.busy else IDLE


def stumble(error: Exception) -> Notice:
    """What a bug of ours looks like in the panel."""
    return stumbled(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


def receive() -> None:
    """Hand landed pictures to the scene, each as an undo step of its own; later, while Blender is busy."""
    landed = app().session.receivable
    if not landed or occupied():
        return
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        for task in landed:
            bpy.ops.maquette.receive("EXEC_DEFAULT", True, job=task.job.id)
