# SPDX-License-Identifier: MIT
"""The pipes between a worker and its server, as the worker holds them, and the words that are said through them.

The server's end of standard input lives exactly as long as the server: its end means that the worker is to leave, and
what does not leave is ended. On Linux the kernel ends the worker with its server, whatever it is doing; elsewhere a
thread does, which a call into C that keeps Python's lock can put off.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NEWS, STALLED, FREE = "news", "stalled", "free"  # look at the queue; I cannot use the queue; nothing is in hand
HOLDS, UNFIT = "holds", "unfit"  # and which job; and why this worker will never work
ABANDONED = 70  # exit code of a worker whose server is gone
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_CHUNK = 65536
BUSY = 0.002  # of a processor: a slow download takes more, and who waits for a disk that is gone takes none


class Pipe:
    """Both pipes; descriptors, for a buffered file that a thread waits for would abort the process at its end.

    ``drain``: seconds between the end of ``incoming`` and that of this process, unless it ends by itself.
    """

    def __init__(self, incoming: int, outgoing: int, drain: float) -> None:
        self._incoming, self._outgoing, self._drain = incoming, outgoing, drain
        self._news = threading.Event()
        self.leaving = False
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, word: str = NEWS, about: str = "") -> None:
        """One of the words above. A server that is gone hears nothing, and that means leaving."""
        try:
            os.write(self._outgoing, f"{word} {about}".strip().encode() + b"\n")
        except OSError:
            self.leave()

    def wait(self, seconds: float | None = None) -> bool:
        """Until the server has news or it is time to leave; False where neither came within so many ``seconds``."""
        came = self._news.wait(seconds)
        self._news.clear()
        return came

    def leave(self) -> None:
        """It is time to go."""
        self.leaving = True
        self._news.set()

    def _listen(self) -> None:
        while os.read(self._incoming, _CHUNK):
            self._news.set()
        self.leave()
        time.sleep(self._drain)
        os._exit(ABANDONED)


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


def first_line(descriptor: int) -> bytes:
    """The first line of what comes, without its end; what comes with it is dropped. Empty where nothing comes."""
    text = b""
    while b"\n" not in text and (chunk := os.read(descriptor, _CHUNK)):
        text += chunk
    return text.partition(b"\n")[0]


def die_with_parent() -> None:
    """Has the kernel kill this process when its parent dies, where there is a kernel that does: on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def own_output() -> int:
    """A descriptor of standard output for the words alone: what a library prints goes where errors go."""
    words = os.dup(1)
    os.dup2(2, 1)
    return words
