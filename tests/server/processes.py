# SPDX-License-Identifier: MIT
"""Looking at processes and queue files from outside (Linux), as a test of a real server needs it."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

PROC = Path("/proc")


def workers_of(process: int) -> list[int]:
    """The child processes of a process; none of one that is gone."""
    try:
        return [int(word) for word in (PROC / f"{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


def processes_of(home: Path) -> list[int]:
    """Every living process that was started with this folder as $MAQUETTE_HOME: servers, workers, orphans."""
    word = f"MAQUETTE_HOME={home}".encode()
    return [
        int(path.name) for path in PROC.iterdir() if path.name.isdigit() and _has(path, word) and runs(int(path.name))
    ]


def runs(process: int) -> bool:
    """Whether it does; one that has ended may wait for its parent to notice, which is not running."""
    try:
        return (PROC / f"{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def resident_mib(process: int) -> float:
    """The memory of a process, in MiB."""
    lines = (PROC / f"{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def cpu_seconds(process: int) -> float:
    """How long a process has computed, in user and system time."""
    numbers = (PROC / f"{process}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def open_files(process: int) -> int:
    """How many descriptors a process has open."""
    return len(list((PROC / f"{process}/fd").iterdir()))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0..1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def faults_in(database: Path) -> list[object]:
    """What SQLite finds wrong with a queue's file; nothing for one that is whole."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        (verdict,) = db.execute("PRAGMA integrity_check").fetchone()
        return [*([] if verdict == "ok" else [verdict]), *db.execute("PRAGMA foreign_key_check").fetchall()]


def row_of(database: Path, job: str) -> sqlite3.Row:
    """A job's row, whatever the server makes of it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        row: sqlite3.Row = db.execute("SELECT * FROM job WHERE id = ?", (job,)).fetchone()
        return row


def attempts(home: Path, job: str) -> tuple[int, int]:
    """Workers that died of a job, and starts of the server that it outlived."""
    row = row_of(home / "jobs.sqlite", job)
    return row["attempts"], row["restarts"]


def _has(path: Path, word: bytes) -> bool:
    try:
        return word in (path / "environ").read_bytes().split(b"\0")
    except OSError:  # gone, or somebody else's
        return False
