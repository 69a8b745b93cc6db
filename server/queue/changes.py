# SPDX-License-Identifier: MIT
"""What is done to the queue's rows, inside a transaction of the store: each change of state asks ``job_state``, and is
logged as an event."""

import json
import secrets
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from addon.protocol.answers import Job, Problem
from addon.protocol.blockout import Blockout
from addon.protocol.step_counts import all_steps
from addon.protocol.strict_json import dump

from ..problems import NotWaiting, UnknownReference
from . import job_state, rows
from .artifacts import ArtifactStore
from .job_state import ACTIVE, Ticket, Verb
from .rows import WAITING, job_row


class StaleClaim(RuntimeError):
    """The job was cancelled, or claimed anew: whoever held it must let go."""


def insert(
    db: sqlite3.Connection,
    blockout: Blockout,
    body: str,
    key: str,
    digest: str,
    replaced: sqlite3.Row | None = None,
) -> Job:
    """A new job, at the end of the queue, or where a ``replaced`` one stood; ``body`` is the blockout as JSON."""
    job, ticket = secrets.token_hex(16), Ticket()
    of_ticket = (ticket.state, ticket.sequence, ticket.fence, ticket.attempts)
    of_blockout = (all_steps(blockout), blockout.model, blockout.prompt, blockout.seed, body)
    in_line: tuple[float, int, int | None] = (time.time(), 0, None)
    if replaced is not None:
        in_line = (replaced["created"], replaced["position"], replaced["stands_for"] or replaced["number"])
    db.execute(
        "INSERT INTO job (id, state, sequence, fence, attempts, created, position, stands_for,"
        " steps, model, prompt, seed, blockout) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (job, *of_ticket, *in_line, *of_blockout),
    )
    db.execute("INSERT INTO submission VALUES (?, ?, ?)", (key, digest, job))
    log(db, job, "state")
    created, position, _ = in_line
    return Job(
        id=job,
        state=ticket.state,
        sequence=ticket.sequence,
        created=created,
        phase="",
        step=0,
        steps=all_steps(blockout),
        artifacts=(),
        problem=None,
        model=blockout.model,
        prompt=blockout.prompt,
        seed=blockout.seed,
        position=position,
    )


def refer(db: sqlite3.Connection, artifacts: ArtifactStore, job: Job, blockout: Blockout) -> Job:
    """The job, which now keeps the pictures that it refers to from being deleted. Raises UnknownReference."""
    for number, digest in enumerate(blockout.pictures):
        path = artifacts.find(digest)
        if path is None:
            raise UnknownReference(f"There is no picture {digest[:12]}… here", path=blockout.field_of(digest))
        rows.refer(db, job.id, path.name, path.stat().st_size, number)
    return job


def waiting(db: sqlite3.Connection, job: str) -> sqlite3.Row:
    """The row of a job that nobody has begun. Raises UnknownJob and NotWaiting."""
    row = job_row(db, job)
    if row["state"] != "queued":
        raise NotWaiting(f"The job is {row['state']}")
    return row


def to_front(db: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Before all that wait now; those that come later are behind it, too."""
    least = f"SELECT min(position) - 1 FROM {WAITING}"
    db.execute(f"UPDATE job SET position = ({least}) WHERE id = ?", (row["id"],))
    advance(db, row, "front")


def advance(db: sqlite3.Connection, row: sqlite3.Row, verb: Verb, problem: Problem | None = None) -> Ticket:
    """A change of state. Raises WrongTurn."""
    ticket = job_state.advance(Ticket(*(row[field.name] for field in fields(Ticket))), verb)
    failed = json.dumps(dump(problem)) if ticket.state == "failed" else None
    db.execute(
        "UPDATE job SET state = :state, sequence = :sequence, fence = :fence, attempts = :attempts,"
        " restarts = :restarts, problem = :problem WHERE id = :id",
        {**asdict(ticket), "problem": failed, "id": row["id"]},
    )
    if verb == "claim" and ticket.fence > 1:
        log(db, row["id"], "restarted", attempt=ticket.fence)
    else:
        log(db, row["id"], "state")
    return ticket


def note_progress(
    db: sqlite3.Connection, job: str, phase: str, step: int = 0, energies: tuple[tuple[str, float], ...] = ()
) -> None:
    """How far a job is, for whoever listens."""
    db.execute("UPDATE job SET phase = ?, step = ?, sequence = sequence + 1 WHERE id = ?", (phase, step, job))
    log(db, job, "progress", energies=energies)


def put_back(db: sqlite3.Connection, row: sqlite3.Row, verb: Verb, problem: Problem | None = None) -> None:
    """What was in hand waits again, from its beginning, or fails as ``problem`` says where it did so too often."""
    db.execute("UPDATE job SET phase = '', step = 0 WHERE id = ?", (row["id"],))
    advance(db, row, verb, problem)


def forget(db: sqlite3.Connection, jobs: Sequence[str]) -> set[str]:
    """Deletes jobs with all that is known of them; the digests of the pictures that they had."""
    among = "IN (SELECT value FROM json_each(?))"
    listed = (json.dumps(list(jobs)),)
    pictures = {row["sha256"] for row in db.execute(f"SELECT sha256 FROM artifact WHERE job {among}", listed)}
    db.execute(f"DELETE FROM job WHERE id {among}", listed)
    return pictures


def claimed(db: sqlite3.Connection, job: str, fence: int) -> sqlite3.Row:
    """The row of a job in hand under that fence. Raises StaleClaim."""
    row = job_row(db, job)
    if row["fence"] != fence or row["state"] not in ACTIVE:
        raise StaleClaim(f"job {job} is {row['state']} under fence {row['fence']}, not {fence}")
    return row


def log(db: sqlite3.Connection, job: str, kind: str, **news: Any) -> None:
    """An event of that job as it stands now; of progress and previews only the newest is kept."""
    row = job_row(db, job)
    body = {name: row[name] for name in ("sequence", "state", "phase", "step", "steps")}
    body |= {"job": job, "kind": kind, "artifact": None, **{name: dump(value) for name, value in news.items()}}
    if kind in ("progress", "preview"):
        db.execute("DELETE FROM event WHERE job = ? AND kind = ?", (job, kind))
    db.execute("INSERT INTO event (job, kind, body) VALUES (?, ?, ?)", (job, kind, json.dumps(body)))
