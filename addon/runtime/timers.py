# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's timers: one gives the event loop its slices, takes landed pictures into their scenes, and renews panels.

It is persistent, for others die with the file they were started in. In the background timers do not tick: there the
event loop is run to the end of what is asked for.
"""

import gc
import time
import traceback
from collections.abc import Callable

import bpy
from bpy.app.handlers import persistent

from ..messages.notice import Notice
from ..messages.sentences import stumbled
from ..pictures.origin import as_saved
from ..pictures.pixels import warm_up
from ..session.reducer import file_opened, file_saved, notice_changed
from .app import app, log
from .sheets import close_views, renew
from .windows import occupied, redraw, window_manager

ACTIVE, IDLE = 0.02, 0.5  # seconds between two slices
LONG = 0.002  # seconds of a slice after which it begins nothing more


def _opened(*_: object) -> None:
    app().dispatcher.apply(file_opened)
    close_views(app())
    app().gallery.chosen = ""


def _saved(*_: object) -> None:
    app().dispatcher.apply(file_saved, as_saved)


def register() -> None:
    """Start the timer, in a window; and hear of files that are opened and saved."""
    bpy.app.handlers.load_post.append(persistent(_opened))
    bpy.app.handlers.save_post.append(persistent(_saved))
    if not bpy.app.background:
        bpy.app.timers.register(warm_up, first_interval=ACTIVE)  # later than the splash screen, which may have done so
        bpy.app.timers.register(_tick, first_interval=ACTIVE, persistent=True)


def unregister() -> None:
    """Stop it."""
    for handlers, handler in ((bpy.app.handlers.load_post, _opened), (bpy.app.handlers.save_post, _saved)):
        if handler in handlers:  # unless a script has cleared the list
            handlers.remove(handler)
    for timer in (warm_up, _tick):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    freeze_heap(False)


def guarded(work: Callable[[], float]) -> float:
    """Do a timer's work and pass on its pace. A timer that raises is dropped by Blender, and what it keeps up to date
    would stay as it is for ever: what goes wrong is said where the artist looks, and tried again."""
    try:
        return work()
    except Exception as error:
        log.exception("a timer met an error")
        app().dispatcher.apply(notice_changed, _failure(error))
        return IDLE


def _tick() -> float:
    application, pace = app(), guarded(_slice)
    live = application.live.state
    if (application.session.busy or bool(live.scene)) != application.heap_frozen:
        application.heap_frozen = not application.heap_frozen
        freeze_heap(application.heap_frozen)
    state = (application.session, application.installer.state, live.scene, live.painting, live.picture)
    if state != application.drawn_state:  # which an operator may have changed, wherever its button is
        application.drawn_state = state
        redraw()
    return pace


def freeze_heap(busy: bool) -> None:
    """While a picture is painted, keep what Blender already holds out of Python's full collections.

    Each would go through all of it, every add-on's objects too, and hold the window for up to 50 ms.
    """
    if busy:
        gc.freeze()
    else:
        gc.unfreeze()


def _slice() -> float:
    """Some of the duties, in turns: what is long in itself, as taking a picture in, has a slice to itself."""
    application, begun, more = app(), time.perf_counter(), False
    for _ in DUTIES:
        duty, application.duty = DUTIES[application.duty], (application.duty + 1) % len(DUTIES)
        more = duty() or more
        if time.perf_counter() - begun > LONG:
            return ACTIVE
    busy = application.session.busy or application.installer.state.busy or application.live.busy
    return ACTIVE if more or busy else IDLE


def _run_events() -> bool:
    app().event_loop.once()
    return False


def _take_in() -> bool:
    receive(at_once=False)
    return False


def _show_preview() -> bool:
    app().preview_image.show(app().session.preview)
    return False


def _fill_gallery() -> bool:
    fresh = app().gallery.tick(window_manager())
    if fresh:
        redraw()
    return fresh


def _renew_sheets() -> bool:
    fresh = renew(app())
    if fresh:
        redraw()
    return fresh


def _failure(error: Exception) -> Notice:
    """What a bug of ours looks like in the panel."""
    return stumbled(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


def receive(at_once: bool = True) -> None:
    """Hand landed pictures to the scene, each as an undo step of its own; later, while Blender is busy. What is not to
    happen ``at_once`` happens in turns, a slice each."""
    receivable = app().session.receivable
    if not receivable or occupied():
        return
    with bpy.context.temp_override(window=window_manager().windows[0]):
        for task in receivable if at_once else receivable[:1]:
            app().receive(task.job.id, at_once)


DUTIES: tuple[Callable[[], bool], ...] = (
    _run_events,
    _take_in,
    _show_preview,
    _fill_gallery,
    _renew_sheets,
)  # each says whether there is more
