# SPDX-License-Identifier: MIT
"""A worker that loads or downloads for long is not stuck while it does anything at all."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BUSY = 0.002  # of a processor: a slow download takes more, and who waits for a disk that is gone takes none


@contextmanager
def saying(say: Callable[[], None], seconds: float) -> Iterator[None]:
    """Meanwhile ``say`` is called every so many seconds in which this process has computed; by another thread."""
    over = threading.Event()

    def watch() -> None:
        before = time.process_time()
        while not over.wait(seconds):
            now = time.process_time()
            if now - before >= BUSY * seconds:
                say()
            before = now

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
