# SPDX-License-Identifier: MIT
"""What the command line says to people, and how they stop it."""

import re
import signal
import sys
from typing import Any

from tqdm import tqdm

UP = "\x1b[A"  # what a bar inside another one writes on its way back to that
LOG_SECONDS = 10.0  # between two lines about the same progress
UNTOLD = re.compile(r", (\?|00:00) left")  # a time that is not known yet, or over


class Lines:
    """Standard error for a progress bar where it is a file: a line for each state, instead of one drawn over."""

    def __init__(self) -> None:
        self._latest = ""

    def write(self, text: str) -> None:
        """A state, unless it is the one that was written last."""
        line = UNTOLD.sub("", text.replace(UP, "")).strip()
        if line and line != self._latest:
            self._latest = line
            complain(line)

    def flush(self) -> None:
        """Nothing waits."""


def bar(*arguments: Any, **options: Any) -> Any:
    """A progress bar, as tqdm's; where standard error is no terminal, a line now and then: steps, the time left,
    and what it waits for."""
    if not sys.stderr.isatty():
        layout = "{desc}: {n_fmt} of {total_fmt}, {remaining} left{postfix}"
        options = {"file": Lines(), "mininterval": LOG_SECONDS, "bar_format": layout, **options}
    return tqdm(*arguments, **options)


def say(text: str) -> None:
    """A line on standard output, at once; what it has no letters for, such as of a path, by their numbers."""
    try:
        print(text, flush=True)  # noqa: T201
    except UnicodeEncodeError:
        print(text.encode("ascii", "backslashreplace").decode(), flush=True)  # noqa: T201


def complain(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def stop_by_any_signal() -> None:
    """Have the end of a session and a closed terminal mean what Ctrl-C means: cleaning up, then leaving.

    Whoever ignores a signal, as nohup does, goes on ignoring it.
    """
    for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)  # Windows has the last, other systems the second
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda *_: _interrupt())


def _interrupt() -> None:
    """As Ctrl-C does, also where that is ignored, as shells have it for what runs in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)
