# SPDX-License-Identifier: MIT
"""A signal between tasks: something in the queue has changed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Signal:
    """Wakes every listener of one event loop; may be notified from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._next = asyncio.Event()
        self.closed = False
        self.listeners = 0

    def notify(self) -> None:
        """There is news."""
        self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """There will be none any more: every stream ends."""
        self.closed = True
        self.notify()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """For as long as one client listens."""
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1

    def next(self) -> asyncio.Event:
        """Set at the next notification. Take it *before* looking for news, or one that comes in between is missed."""
        return self._next

    def _wake(self) -> None:
        current, self._next = self._next, asyncio.Event()
        current.set()
