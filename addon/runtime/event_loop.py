# SPDX-License-Identifier: GPL-3.0-or-later
"""An asyncio loop run inside Blender: in slices from a timer, or to its end in the background.

Blender's Python has no safe threads and its timers do not tick in the background; one loop serves both."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

SLICE, ROUNDS = 0.004, 8  # seconds that begin no further round; rounds of a slice
RESTART = 2.0  # seconds before work without end that failed begins anew
GAP = 1.0  # seconds that count at most between two slices: Blender was busy with something else


class PausableLoop(asyncio.SelectorEventLoop):  # Windows' default loop cannot be stopped at once
    """A loop whose clock leaves out the seconds that it was ``paused``: who waits for an answer is not told that none
    came in time when nobody could read it."""

    paused = 0.0

    def time(self) -> float:
        """Seconds in which the loop could run."""
        return super().time() - self.paused


class EventLoop:
    """An asyncio loop that never holds the main thread longer than its ready callbacks take."""

    def __init__(self) -> None:
        self.loop = PausableLoop()
        self._left = time.monotonic()
        self._tasks: set[asyncio.Task[object]] = set()
        self._failures: list[BaseException] = []

    @property
    def running(self) -> frozenset[asyncio.Task[object]]:
        """What was started and has not ended; what an operator starts begins in a later slice."""
        return frozenset(self._tasks)

    def start(self, coroutine: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        """Run a coroutine in the slices to come; ``once`` raises what it raises."""
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def keep(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run work that has no end; should it fail, ``once`` raises that, and it begins anew after RESTART seconds."""
        task = self.start(work())
        task.add_done_callback(lambda ended: ended.cancelled() or self.loop.call_later(RESTART, self.keep, work))

    def once(self) -> None:
        """One slice: what is ready now, and what that makes ready. Raises the first failure since the last slice.

        In rounds, for an answer takes several, and while a heavy scene is redrawn slices are far between.
        """
        end = self._enter() + SLICE
        for _ in range(ROUNDS):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()
            self._left = time.monotonic()
            if self._left > end:
                break
        self._raise_failure()

    def wait(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run until a coroutine is done, and the started ones beside it: the driver of the background."""
        self._enter()
        try:
            self.loop.run_until_complete(coroutine)
        finally:
            self._left = time.monotonic()
        self._raise_failure()

    def close(self) -> None:
        """End every task and the loop."""
        tasks = asyncio.all_tasks(self.loop)  # those of ``start`` and ``keep``, and what they started
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def _enter(self) -> float:
        """The time; what has passed since the loop ran last is a pause but for the first GAP."""
        now = time.monotonic()
        self.loop.paused += max(0.0, now - self._left - GAP)
        return now

    def _raise_failure(self) -> None:
        if self._failures:
            raise self._failures.pop(0)

    def _end(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failures.append(error)
