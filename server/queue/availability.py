# SPDX-License-Identifier: MIT
"""When the queue's file cannot be used: SQLite's many words for that, by our two names.

A backup, a virus scanner or a slow disk may lock the file for seconds, and a disk may be full for hours. None of that
is a bug, nor the fault of the job in hand: clients are told to come again, and the worker waits.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from ..problems import QueueOutOfRoom, QueueUnavailable

RETRY_SECONDS = 0.5  # between two tries of the worker
RETRY_AFTER = "2"  # seconds, for clients

UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


@contextmanager
def available() -> Iterator[None]:
    """What is done inside needs the file. Raises QueueOutOfRoom and QueueUnavailable in place of SQLite's errors."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF  # the rest says which kind of it
        if code == sqlite3.SQLITE_FULL:
            raise QueueOutOfRoom(f"The queue cannot be written: {error}") from error
        if code in UNAVAILABLE:
            raise unavailable(str(error)) from error
        raise


def unavailable(reason: str) -> QueueUnavailable:
    """The refusal, with a word on when to come again."""
    return QueueUnavailable(f"The queue cannot be used: {reason}", headers={"Retry-After": RETRY_AFTER})
