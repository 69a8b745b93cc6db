# SPDX-License-Identifier: MIT
"""The queue's tables, and how an older file becomes a newer one.

A migration that was released is never changed again, and what it makes of a file must be right for every job in it. The
file is kept as it was, beside it, before the first one touches it.
"""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from ..errors import CommandError

PATIENCE = 5.0  # seconds
LOG_BYTES = 4 * 2**20  # of the write-ahead log, whose file would otherwise stay as large as it ever was
NO_TEXT = partial(str, encoding="utf-8", errors="surrogateescape")
TABLES = ("job", "artifact", "event", "submission", "fact", "worker")

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE job (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        fence INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        created REAL NOT NULL,
        phase TEXT NOT NULL DEFAULT '',
        step INTEGER NOT NULL DEFAULT 0,
        steps INTEGER NOT NULL,
        model TEXT NOT NULL,
        prompt TEXT NOT NULL,
        seed INTEGER NOT NULL,
        blockout TEXT NOT NULL,
        problem TEXT
    ) STRICT;
    CREATE INDEX job_by_state ON job (state, number);
    CREATE TABLE artifact (
        job TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        media_type TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (job, kind)
    ) STRICT;
    CREATE INDEX artifact_by_digest ON artifact (sha256);
    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        job TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX event_by_job ON event (job, id);
    CREATE TABLE submission (
        key TEXT PRIMARY KEY,
        digest TEXT NOT NULL,
        job TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE
    ) STRICT;
    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    """,
    "ALTER TABLE job ADD COLUMN achieved TEXT NOT NULL DEFAULT '[]';",
    # attempts counted claims, so that of a job in hand too; it counts the workers that died from here on
    """
    ALTER TABLE job ADD COLUMN restarts INTEGER NOT NULL DEFAULT 0;
    UPDATE job SET attempts = attempts - 1 WHERE state IN ('leased', 'running') AND attempts > 0;
    """,
    # below 0 for what was moved to the front; the number of the job in whose place it stands
    """
    ALTER TABLE job ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE job ADD COLUMN stands_for INTEGER;
    """,
    # whose turn it is, and how many wait, without a look at the jobs themselves
    "CREATE INDEX job_by_turn ON job (position, coalesce(stands_for, number)) WHERE state = 'queued';",
    # several workers: who has a job in hand; what each has in memory, and whether it waits for a job
    """
    ALTER TABLE job ADD COLUMN worker INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE worker (number INTEGER PRIMARY KEY, model TEXT NOT NULL, free INTEGER NOT NULL) STRICT;
    """,
)


class NewerDatabase(CommandError):
    """The file was written by a later version of Maquette."""

    def __init__(self, path: Path, version: int) -> None:
        super().__init__(
            f"{path} is of version {version}, this server knows {len(MIGRATIONS)}: update it, or move the file"
        )


class NotAQueue(CommandError):
    """The file is something else, or damaged."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is no queue of Maquette's, or is damaged ({reason}): move it elsewhere")


class NoBackup(CommandError):
    """The file cannot be kept as it was, and so is not migrated."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be written ({reason}): make room for it, for the queue is kept as it was")


def connect(path: Path, patience: float = PATIENCE) -> sqlite3.Connection:
    """Opens the queue, making or migrating it first; ``patience``: seconds to wait for a lock.

    Raises NewerDatabase, NoBackup and sqlite3.Error.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = _opened(path, patience)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
    db.execute("PRAGMA foreign_keys = ON")
    _migrate(db, path)
    for table in TABLES:
        db.execute(f"SELECT 1 FROM {table} LIMIT 0")
    return db


def check(path: Path) -> None:
    """Opens the queue, and closes it. Raises what ``connect`` does, and NotAQueue for a file that is something else."""
    try:
        connect(path).close()
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
            raise NotAQueue(path, str(error)) from error
        raise


def reader(path: Path, patience: float = PATIENCE) -> sqlite3.Connection:
    """A second connection to a queue that is open, which only reads: it waits for no writer."""
    db = _opened(path, patience)
    db.execute("PRAGMA query_only = ON")
    return db


def backup_of(path: Path, version: int) -> Path:
    """Where the queue is kept as it was at that version."""
    return path.with_name(f"{path.stem}-version-{version}{path.suffix}")


def _opened(path: Path, patience: float) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.text_factory = NO_TEXT  # what a disk has damaged is no text of any record, and costs its own row alone
    return db


def _back_up(db: sqlite3.Connection, target: Path) -> None:
    """The whole file or none, readable by its owner alone: it holds prompts."""
    part = target.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        with closing(sqlite3.connect(part)) as copy:
            db.backup(copy)
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise NoBackup(target, str(error)) from error


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise NewerDatabase(path, version)
    if 0 < version < len(MIGRATIONS):
        _back_up(db, backup_of(path, version))
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
