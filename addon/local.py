# SPDX-License-Identifier: GPL-3.0-or-later
"""The server on this machine as a child process: start it, and say why it ended. No bpy."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from .notices import Notice
from .session import Session, died, stopped

GREETING = "Maquette serves at"
END = 4096  # bytes of the log in which they are looked for
TAIL = 200  # characters of the log that fit a panel


def start(command: str, log: Path) -> subprocess.Popen[bytes]:
    """Run ``command`` with its output in ``log``. Raises OSError and ValueError for a command that is none."""
    words = [word.strip('"') for word in shlex.split(command, posix=sys.platform != "win32")]  # Windows keeps quotes
    if not words:
        raise ValueError("it is empty")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)


def ended(session: Session, code: int, log: Path) -> Session:
    """The session after our server's end: quiet when it was asked to end, the last words of its log when not."""
    if session.link.name == "stopping" or code in (0, -signal.SIGTERM):
        return stopped(session)
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    last = _last_words(log)
    message = f"The server {how}{': ' + last if last else '.'}"
    return died(session, Notice(message=message, fix=f"Its log is {log}", code="server-died"))


def _last_words(log: Path) -> str:
    """The end of what the server wrote, its greeting left out; nothing of a log that is gone."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - END))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return "\n".join(line for line in lines if not line.startswith(GREETING))[-TAIL:]
