# SPDX-License-Identifier: GPL-3.0-or-later
"""The server on this machine as a child process: start it, and say why it ended. No bpy."""

import shlex
import signal
import subprocess
import sys
from pathlib import Path

from .session import Notice, Session, died, stopped

GREETING = "Maquette serves at"
TAIL = 200  # characters of the log that fit a panel


def start(command: str, log: Path) -> subprocess.Popen[bytes]:
    """Run ``command`` with its output in ``log``. Raises OSError and ValueError for a command that is none."""
    words = shlex.split(command, posix=sys.platform != "win32")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)


def ended(session: Session, code: int, log: Path) -> Session:
    """The session after our server's end: quiet when it was asked to end, the last words of its log when not."""
    if code in (0, -signal.SIGTERM):
        return stopped(session)
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    last = _last_words(log)
    message = f"The server {how}{': ' + last if last else '.'}"
    return died(session, Notice(message=message, fix=f"Its log is {log}", code="server-died"))


def _last_words(log: Path) -> str:
    """The end of what the server wrote, its greeting left out."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return "\n".join(line for line in lines if not line.startswith(GREETING))[-TAIL:]
