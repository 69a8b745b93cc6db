# SPDX-License-Identifier: MIT
"""The queue's tables, and how an older file becomes a newer one."""

import sqlite3
from pathlib import Path

from ..errors import CommandError

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
)


class NewerDatabase(CommandError):
    """The file was written by a later version of Maquette."""

    def __init__(self, path: Path, version: int) -> None:
        super().__init__(
            f"{path} is of version {version}, this server knows {len(MIGRATIONS)}: update it, or move the file"
        )


def connect(path: Path) -> sqlite3.Connection:
    """Opens the queue, making or migrating it first. Raises NewerDatabase."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    db = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA foreign_keys = ON")
    _migrate(db, path)
    return db


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise NewerDatabase(path, version)
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
