# SPDX-License-Identifier: MIT
"""Several workers at one queue: whose turn a job is, and who has it in hand. Inside a transaction of the store.

A job that waits is left to a worker that has its model in memory and nothing in hand, where there is one; it was woken
too. Any other takes what comes next, so that the order stays.
"""

import sqlite3
from dataclasses import dataclass

from .job_state import ACTIVE
from .rows import COLUMNS, TURN, WAITING, in_states


@dataclass(frozen=True)
class WorkerSlot:
    """Which of so many workers: 0 to ``count`` - 1."""

    number: int = 0
    count: int = 1

    @property
    def alone(self) -> bool:
        """Whether there is no other to leave a job to."""
        return self.count == 1

    def fact(self, name: str) -> str:
        """The name of a fact about this worker."""
        return f"{name}.{self.number}" if self.number else name


ALONE = WorkerSlot()


def next_row(db: sqlite3.Connection, slot: WorkerSlot, model: str) -> sqlite3.Row | None:
    """The job that is this worker's turn, with its blockout; ``model`` is what it has in memory, "" for none."""
    others = "SELECT 1 FROM worker WHERE free AND number != :number AND worker.model = job.model"
    mine = "" if slot.alone else f" AND (model = :model OR NOT EXISTS ({others}))"
    first = f"SELECT {COLUMNS}, blockout FROM {WAITING}{mine} ORDER BY {TURN} LIMIT 1"
    row: sqlite3.Row | None = db.execute(first, {"number": slot.number, "model": model}).fetchone()
    return row


def take(db: sqlite3.Connection, slot: WorkerSlot, job: str, model: str) -> None:
    """The worker has this job in hand, of this model."""
    if not slot.alone:
        db.execute("UPDATE job SET worker = ? WHERE id = ?", (slot.number, job))
        _note(db, slot, model, free=False)


def wait(db: sqlite3.Connection, slot: WorkerSlot, model: str) -> None:
    """The worker has nothing in hand, and this model in memory."""
    if not slot.alone:
        _note(db, slot, model, free=True)


def in_hand(db: sqlite3.Connection, slot: WorkerSlot) -> list[sqlite3.Row]:
    """The jobs that the worker has in hand; of the first one also those of workers that there are no more."""
    ours = (row for row in in_states(db, ACTIVE))
    return [row for row in ours if row["worker"] == slot.number or (slot.number == 0 and row["worker"] >= slot.count)]


def end(db: sqlite3.Connection, slot: WorkerSlot) -> None:
    """The worker is gone: nothing is left to it any more."""
    db.execute("DELETE FROM worker WHERE number = :number OR number >= :count", vars(slot))


def _note(db: sqlite3.Connection, slot: WorkerSlot, model: str, *, free: bool) -> None:
    db.execute(
        "INSERT INTO worker VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET model = excluded.model, free = excluded.free",
        (slot.number, model, free),
    )
