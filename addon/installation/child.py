# SPDX-License-Identifier: GPL-3.0-or-later
"""A child process whose words go into a log and are heard as they come; nothing waits for it but a coroutine. No bpy.

Its output goes into the log itself, which is read on from there: a pipe would want a thread, or a loop that Windows has
not.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

POLL = 0.1  # seconds between two looks
TAIL = 16_384  # bytes of the log that its end may be judged by


def _nothing() -> None:
    """What is done between two looks, where nothing is."""


async def run(
    words: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    hear: Callable[[str], None],
    look: Callable[[], None] = _nothing,
) -> tuple[int, str]:
    """The exit code, and the last of what it wrote; ``look`` is called ten times a second for what it does not say.

    Cancelled, it leaves no process behind. Raises OSError.
    """
    with log.open("ab") as out:
        out.write(f"\n> {subprocess.list2cmdline(words)}\n".encode())
        out.flush()
        start = offset = out.tell()
        child = _start(words, environment, out.fileno(), log.parent)
    try:
        while True:
            ended = child.poll() is not None
            offset = _listen(log, offset, hear)
            look()
            if ended:
                return child.returncode, _read(log, max(start, offset - TAIL)).decode(errors="replace")
            await asyncio.sleep(POLL)
    finally:
        await end(child)


def _start(words: Sequence[str], environment: Mapping[str, str], out: int, folder: Path) -> "subprocess.Popen[bytes]":
    """Start it in a group of its own, so that it can be ended with all that it has started."""
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows: no console springs up
    return subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
        creationflags=hidden,
    )


async def end(child: "subprocess.Popen[bytes]") -> None:
    """End it with all that it has started, and wait until it is gone: one that was writing takes a while."""
    if child.poll() is not None:
        return
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(child.pid)], check=False, capture_output=True)
    else:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    while child.poll() is None:
        await asyncio.sleep(POLL)


def _listen(log: Path, offset: int, hear: Callable[[str], None]) -> int:
    """Hear the whole lines that came since; where the next look begins."""
    fresh, ended, _ = _read(log, offset).rpartition(b"\n")
    for line in fresh.decode(errors="replace").splitlines() if ended else ():
        hear(line)
    return offset + len(fresh) + len(ended)


def _read(log: Path, start: int) -> bytes:
    with log.open("rb") as file:
        file.seek(start)
        return file.read()
