# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the courier's coroutines inside Blender: in slices from a timer, or to their end in the background.

Blender's Python has no safe threads and its timers do not tick in the background; one asyncio loop serves both. The
timer is persistent, for others die with the file they were started in.
"""

import asyncio
import gc
import logging
import subprocess
import time
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy

from . import ledger, local, styles
from .album import Gallery
from .courier import Courier
from .darkroom import Darkroom
from .notices import Notice
from .pixels import wake
from .preferences import dial, preferences
from .session import Session, noticed, starting, stopping

ACTIVE, IDLE = 0.02, 0.5  # seconds between two slices
SLICE, ROUNDS = 0.004, 8  # seconds that begin no further round; rounds of a slice
MIND = 0.25  # seconds between two looks at a server of our own
FAREWELL = 2.0  # seconds that Blender waits at the end for the server to hear what it was told
MOVES = {"BLOCKING", "UNDO"}  # what a modal operator says that changes the scene; of a macro, as Shift D, the second
RESTART = 2.0  # seconds before an errand that failed begins anew

log = logging.getLogger(__package__)


class Pump:
    """An asyncio loop that never holds the main thread longer than its ready callbacks take."""

    def __init__(self) -> None:
        self.loop = asyncio.SelectorEventLoop()  # Windows' default loop cannot be stopped at once
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    def start(self, errand: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine in the slices to come; ``once`` raises what it raises."""
        task = self.loop.create_task(errand)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def keep(self, errand: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run an errand that has no end; should it fail, complain, and begin it anew after RESTART seconds."""
        task = self.loop.create_task(errand())
        self._tasks.add(task)
        task.add_done_callback(self._end)
        task.add_done_callback(lambda ended: ended.cancelled() or self.loop.call_later(RESTART, self.keep, errand))

    def once(self) -> None:
        """One slice: what is ready now, and what that makes ready. Raises the first failure since the last slice.

        In rounds, for an answer takes several, and while a heavy scene is redrawn slices are far between.
        """
        end = time.monotonic() + SLICE
        for _ in range(ROUNDS):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
            if time.monotonic() > end:
                break
        self._complain()

    def wait(self, errand: Coroutine[Any, Any, None]) -> None:
        """Run until a coroutine is done, and the started ones beside it: the driver of the background."""
        self.loop.run_until_complete(errand)
        self._complain()

    def close(self) -> None:
        """End every errand and the loop."""
        tasks = asyncio.all_tasks(self.loop)  # the errands, and what they started
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def _complain(self) -> None:
        if self._failures:
            raise self._failures.pop(0)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failures.append(error)


class Desk:
    """What one Blender has running while the add-on is enabled: the pump, the courier, perhaps a server of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "server.log"
        self.server: subprocess.Popen[bytes] | None = None
        self.logging = False
        self.pump = Pump()
        self.darkroom = Darkroom()
        self.drawing: object | None = None
        self.gallery = Gallery(folder / "pictures")
        self.courier = Courier(dial, folder / "pictures")
        self.courier.move(ledger.resumed, folder)
        self.calmed = False
        self.turnstile = asyncio.Lock()  # one second Blender at a time: each wants the whole machine
        self.style_folder = folder / "styles"
        self.rack = styles.read(self.style_folder)
        self.pump.keep(self.courier.watch)
        self.pump.keep(self._mind_server)

    @property
    def session(self) -> Session:
        """What the panels show."""
        return self.courier.session

    def read_styles(self) -> None:
        """Look again at what styles there are."""
        self.rack = styles.read(self.style_folder)

    @property
    def startable(self) -> bool:
        """Whether a server started here would be of use: none was, and the artist did not say that it is elsewhere."""
        return self.server is None and not preferences().address

    def start_server(self, command: str) -> None:
        """Start ``maquette serve`` as a child. Raises OSError and ValueError when there is no such command."""
        self.server = local.start(command, self.log)
        self.logging = True
        self.courier.move(starting)
        self.courier.nudge()

    def stop_server(self) -> None:
        """Ask our child to end: it finishes its step and removes its connection file. Asked again, it is killed."""
        if self.server is None:
            return
        if self.session.link.name == "stopping":
            self.server.kill()
        else:
            self.server.terminate()
            self.courier.move(stopping)

    def close(self) -> None:
        """Stop everything; called when the add-on is disabled and when Blender quits.

        What is not painted yet waits in the server's queue, and what is not received in the ledger, for the next time.
        """
        with suppress(TimeoutError):
            self.pump.loop.run_until_complete(self.courier.settle(FAREWELL))
        if self.server is not None:
            self.server.terminate()
            local.let_go(self.server)
        self.pump.close()
        self.darkroom.close()
        self.gallery.close()
        try:
            ledger.leave(self.folder, self.session)
        except OSError:  # nobody is left to be told; the server has the pictures still
            log.exception("what is owed could not be written down")

    async def _mind_server(self) -> None:
        """Notice when our child has ended."""
        while True:
            await asyncio.sleep(MIND)
            if self.server is not None and self.server.poll() is not None:
                self.courier.move(local.ended, self.server.returncode, self.log)
                local.let_go(self.server)
                self.server = None


def desk() -> Desk:
    """The one desk of this Blender."""
    found: Desk = bpy.types.WindowManager.maquette
    return found


def register() -> None:
    """Set up the desk, and in a window its timer."""
    folder = Path(bpy.utils.extension_path_user(__package__, create=True))
    bpy.types.WindowManager.maquette = Desk(folder)
    if not bpy.app.background:
        bpy.app.timers.register(wake, first_interval=ACTIVE)  # later than the splash screen, which may have done so
        bpy.app.timers.register(_tick, first_interval=ACTIVE, persistent=True)


def unregister() -> None:
    """Clear the desk away."""
    for timer in (wake, _tick):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    calm(False)
    desk().close()
    del bpy.types.WindowManager.maquette


def guarded(work: Callable[[], float]) -> float:
    """Do a timer's work and pass on its pace. A timer that raises is dropped by Blender, and what it keeps up to date
    would stay as it is for ever: what goes wrong is said where the artist looks, and tried again."""
    try:
        return work()
    except Exception as error:
        log.exception("a timer met an error")
        desk().courier.move(noticed, stumble(error))
        return IDLE


def _tick() -> float:
    station, before = desk(), desk().session
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
    station = desk()
    station.pump.once()
    receive()
    station.darkroom.develop(station.session.preview)
    if fresh := station.gallery.tick(bpy.context.window_manager):
        redraw()
    return ACTIVE if fresh or station.session.busy else IDLE


def stumble(error: Exception) -> Notice:
    """What a bug of ours looks like in the panel."""
    message = f"Maquette stumbled ({type(error).__name__}: {error}), and goes on."
    trace = "".join(traceback.format_exception(error))
    return Notice(message=message, fix="Please report it: the button copies the details.", code="stumbled", trace=trace)


def receive() -> None:
    """Hand landed pictures to the scene, each as an undo step of its own; later, while Blender is busy."""
    landed = desk().session.landed
    if not landed or occupied():
        return
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        for task in landed:
            bpy.ops.maquette.receive("EXEC_DEFAULT", True, job=task.job.id)


def occupied() -> bool:
    """A render runs, or the artist is in the middle of a move: an undo step now would tear it."""
    modal = (operator for window in bpy.context.window_manager.windows for operator in window.modal_operators)
    torn = (MOVES & operator.bl_options for operator in modal)
    return bpy.app.is_job_running("RENDER") or any(torn)


def redraw() -> None:
    """Have the panels drawn again, and the preview in Image Editors; not the 3D View itself, which may be heavy."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            shown = {"VIEW_3D": "UI", "IMAGE_EDITOR": "WINDOW"}.get(area.type)
            for region in area.regions:
                if region.type == shown:
                    region.tag_redraw()
