# SPDX-License-Identifier: MIT
"""The queue's file: made, migrated, kept as it was; locked, full, damaged, or of a later version."""

import sqlite3
from contextlib import closing

import pytest

from server.problems import QueueOutOfRoom, QueueUnavailable
from server.queue.migrations import MIGRATIONS, NewerDatabase, NoBackup, backup_of
from server.queue.store import Store
from tests.server.serving import blockout


def submit(store, number=0, **changes):
    return store.submit(blockout(**changes), f"key {number}", 1000)[0]


def test_a_later_file_is_refused(tmp_path):
    path = tmp_path / "jobs.sqlite"
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(NewerDatabase, match="update it"):
        Store(path)


def test_a_queue_from_before_pictures_were_measured_is_migrated(tmp_path):
    path = tmp_path / "old.sqlite"
    old = sqlite3.connect(path)
    old.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
    old.execute(
        "INSERT INTO job (id, state, sequence, fence, attempts, created, steps, model, prompt, seed, blockout)"
        " VALUES ('j', 'done', 1, 1, 1, 1.0, 1, 'm', 'p', 0, '{}')"
    )
    old.commit()
    old.close()
    store = Store(path)
    assert store.job("j").achieved == ()
    store.close()


def test_the_queue_is_kept_as_it_was_before_it_is_migrated(tmp_path):
    path = tmp_path / "jobs.sqlite"
    old = sqlite3.connect(path)
    old.executescript(f"PRAGMA journal_mode = WAL; {MIGRATIONS[0]} PRAGMA user_version = 1;")
    old.execute("INSERT INTO fact VALUES ('device', 'an old one')")  # still in the log beside the file
    old.commit()
    Store(path).close()
    old.close()
    kept = backup_of(path, 1)
    assert kept.stat().st_mode & 0o077 == 0 and not list(tmp_path.glob("*.part"))
    with closing(sqlite3.connect(kept)) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT value FROM fact").fetchall() == [("an old one",)]
    Store(path).close()
    assert sorted(tmp_path.glob("*version*")) == [kept], "a file that is up to date needs no other copy"


def test_what_cannot_be_kept_is_not_migrated(tmp_path):
    path = tmp_path / "jobs.sqlite"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
    backup_of(path, 1).mkdir()
    with pytest.raises(NoBackup, match="make room"):
        Store(path)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_lock_is_no_bug_and_stops_no_reader(tmp_path):
    path = tmp_path / "jobs.sqlite"
    store = Store(path, patience=0.1)
    job = submit(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for write in (store.claim, lambda: store.cancel(job.id), lambda: submit(store, 1), lambda: store.sweep()):
            with pytest.raises(QueueUnavailable, match="locked") as refused:
                write()
            assert refused.value.headers["Retry-After"]
        assert store.job(job.id) == store.jobs(10)[0] == job
        assert store.counts() == (1, 0) and len(store.events(0)) == 1
        other.execute("ROLLBACK")
    assert store.claim().job == job.id
    store.close()


def test_a_full_file_is_said_as_such(tmp_path):
    store = Store(tmp_path / "jobs.sqlite")
    store._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(QueueOutOfRoom) as refused:
        submit(store, prompt="a cat " * 300)
    assert (refused.value.type, refused.value.status) == ("no-room", 507)
    store.close()


def test_a_damaged_file_is_said_as_such(tmp_path):
    (tmp_path / "jobs.sqlite").write_bytes(bytes(range(256)) * 32)
    with pytest.raises(QueueUnavailable, match="not a database"):
        Store(tmp_path / "jobs.sqlite")
