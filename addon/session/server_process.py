# SPDX-License-Identifier: GPL-3.0-or-later
"""The server on this machine as a child process: start it, and say why it ended. No bpy."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..messages import sentences
from . import reducer
from .state import Session

GREETING = "Maquette serves at"
END = 4096  # bytes of the log in which they are looked for
TAIL = 200  # characters of the log that fit a panel
MISUNDERSTOOD = 2  # what argparse, and so a server of ours, ends with when it cannot read its command line
BAR = re.compile(r"\d%\||\[\d+:\d\d[<,]")  # a progress bar, as tqdm draws it


def words_of(command: str) -> list[str]:
    """A command's words. Raises ValueError where a quote has no end."""
    return [word.strip('"') for word in shlex.split(command, posix=sys.platform != "win32")]  # Windows keeps quotes


def verb_words(command: str, verb: Sequence[str]) -> list[str]:
    """Another verb of the program that a server command runs, with the folders of LoRAs that the server has.

    Raises ValueError for a command that does not say ``serve``.
    """
    words = words_of(command)
    if "serve" not in words:
        raise ValueError("it does not say serve")
    program, flags = words[: words.index("serve")], words[words.index("serve") + 1 :]
    folders = [flags[i : i + 2] for i, flag in enumerate(flags) if flag == "--loras"]
    return [*program, *verb, *(word for pair in folders for word in pair)]


def start(command: str, log: Path) -> subprocess.Popen[bytes]:
    """Run ``command`` with its output in ``log``, on a leash: it ends when its standard input does, and that does when
    this process is gone, be it by a crash. Raises OSError and ValueError for a command that is none.
    """
    words = words_of(command)
    if not words:
        raise ValueError("it is empty")
    log.parent.mkdir(parents=True, exist_ok=True)
    leashed = {**os.environ, "MAQUETTE_LEASH": "1"}
    with log.open("wb") as out:
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, env=leashed)


def let_go(server: subprocess.Popen[bytes]) -> None:
    """Drop the leash of a server that has ended, or is to."""
    assert server.stdin is not None, "start has given it one"
    server.stdin.close()


def ended(session: Session, code: int, log: Path) -> Session:
    """The session after our server's end: quiet when it was asked to end, the last words of its log when not."""
    if session.link.name == "stopping" or code in (0, -signal.SIGTERM):
        return reducer.server_stopped(session)
    if code == MISUNDERSTOOD:
        return reducer.server_died(session, sentences.command_misunderstood())
    if code < 0:  # of which its log knows nothing: what it says last is about something else
        return reducer.server_died(session, sentences.server_died(f"was killed by signal {-code}", "", str(log)))
    return reducer.server_died(session, sentences.server_died(f"ended with code {code}", _last_words(log), str(log)))


def _last_words(log: Path) -> str:
    """The last whole lines of the log that mean something to people, as many as fit; nothing of a log that is gone."""
    words, remaining = "", TAIL
    for line in reversed(_lines(log)):
        if len(line) > remaining:
            return words or _shortened(line)
        words, remaining = f"{line}\n{words}".rstrip(), remaining - len(line) - 1
    return words


def _lines(log: Path) -> list[str]:
    """The lines at the log's end, without its greeting, progress bars, and what a trace says before its last line."""
    try:
        with log.open("rb") as file:
            start = max(0, file.seek(0, os.SEEK_END) - END)
            file.seek(start)
            lines = re.split(r"[\r\n]+", file.read().decode(errors="replace"))
    except OSError:
        return []
    complete = [line.rstrip() for line in (lines[1:] if start else lines) if line[:1].strip()]
    return [line for line in complete if not line.startswith((GREETING, "Traceback (")) and not BAR.search(line)]


def _shortened(line: str) -> str:
    """A line's beginning, whole words, as much as fits."""
    return f"{line[: TAIL - 1].rpartition(' ')[0] or line[: TAIL - 1]}…"
