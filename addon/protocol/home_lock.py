# SPDX-License-Identifier: MIT
"""Whether a server lives in a home: it holds a lock there, which the system takes from it when it dies.

A connection file outlives the server that was killed, and its port may be another program's by now; a process id may be
another process's too. A lock is nobody's. Standard library only.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

PATIENCE = 1.0  # seconds: whoever only looks holds a lock of its own, for less than a millisecond


class AlreadyLocked(Exception):
    """Another process holds the lock."""


def lock_path(folder: Path) -> Path:
    """The file that is locked."""
    return folder / "lock.sqlite"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the lock of a home for this process.

    Raises AlreadyLocked where another holds it, OSError for a folder in which it cannot be made.
    """
    try:
        lock = sqlite3.connect(lock_path(folder), timeout=PATIENCE, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError:
            lock.close()
            raise
    except sqlite3.DatabaseError as error:
        if _is_busy(error):
            raise AlreadyLocked(str(lock_path(folder))) from error
        raise OSError(f"{lock_path(folder)}: {error}") from error
    with closing(lock):
        yield


def is_free(folder: Path) -> bool:
    """Whether there is a lock that nobody holds: the server of this home is dead. False where it cannot be said."""
    uri = f"file:{quote(os.fsencode(lock_path(folder)))}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=0.0)) as lock:
            lock.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:  # held; or there is no such file, or none that may be read
        return False
    return True


def _is_busy(error: sqlite3.DatabaseError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
