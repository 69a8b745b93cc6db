# SPDX-License-Identifier: MIT
"""The queue on disk: jobs, their events, their pictures. SQLite, one statement a method where one will do.

Two processes write: the server (submit, cancel, lose) and its worker (claim, report, finish). Each change of state runs
inside ``BEGIN IMMEDIATE`` as *read the row, ask* ``jobs.advance``, *write the row, log the event*, so that the state
machine stays in one file and two claims can never take one job.

The event log is also every listener's mailbox. States are kept; of progress and previews only the newest of a job, so
a slow reader skips what is stale, and no queue of ours can grow.
"""

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from addon.protocol.records import Achieved, Artifact, Blockout, Event, Job, Problem
from addon.protocol.strict_json import dump, load, loads

from ..problems import KeyReused, QueueFull, UnknownJob, WorkerLost
from .job_state import HELD, OVER, Ticket, Verb, advance
from .migrations import connect


class StaleClaim(RuntimeError):
    """The job was cancelled, or claimed anew: whoever held it must let go."""


@dataclass(frozen=True)
class Claim:
    """A job in hand; worth something only as long as its fence is the job's newest."""

    job: str
    fence: int
    blockout: Blockout


@dataclass(frozen=True)
class Moment:
    """How far a job is. ``energies`` are (term, value) pairs."""

    phase: str
    step: int = 0
    energies: tuple[tuple[str, float], ...] = ()


class Store:
    """The queue. One connection, used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path)
        self._turn = threading.RLock()

    def close(self) -> None:
        """Closes the file; SQLite folds its write-ahead log in."""
        self._db.close()

    # What clients ask for

    def submit(self, blockout: Blockout, key: str, limit: int) -> tuple[Job, bool]:
        """Queues a job; with a key seen before, answers the job it made. The flag says whether the job is new.

        Raises KeyReused when the key came with another blockout, QueueFull when ``limit`` jobs wait.
        """
        body = json.dumps(dump(blockout))
        digest = sha256(body.encode()).hexdigest()
        with self._writing() as db:
            known = db.execute("SELECT digest, job FROM submission WHERE key = ?", (key,)).fetchone()
            if known and known["digest"] != digest:
                raise KeyReused("This Idempotency-Key came with another blockout before")
            if known:
                return self.job(known["job"]), False
            if self.counts()[0] >= limit:
                raise QueueFull(f"{limit} jobs are waiting", headers={"Retry-After": "10"})
            return self._insert(db, blockout, body, key, digest), True

    def prune(self, kept: int) -> None:
        """Forgets all jobs that are over but the newest ``kept``; their events, keys and pictures go with them."""
        over = "SELECT number FROM job WHERE state IN ('done', 'failed', 'cancelled') ORDER BY number DESC"
        with self._writing() as db:
            db.execute(f"DELETE FROM job WHERE number IN ({over} LIMIT -1 OFFSET ?)", (kept,))

    def job(self, job: str) -> Job:
        """One job as it is now. Raises UnknownJob."""
        with self._reading() as db:
            return self._job(db, self._row(db, job))

    def jobs(self, limit: int) -> list[Job]:
        """The latest jobs, newest first."""
        with self._reading() as db:
            rows = db.execute("SELECT * FROM job ORDER BY number DESC LIMIT ?", (limit,)).fetchall()
            return [self._job(db, row) for row in rows]

    def cancel(self, job: str) -> Job:
        """Cancels the job unless it is over already. Raises UnknownJob."""
        with self._writing() as db:
            row = self._row(db, job)
            if row["state"] not in OVER:
                self._advance(db, row, "cancel")
            return self.job(job)

    def cancel_many(self, *, waiting_only: bool) -> list[Job]:
        """Cancels the waiting jobs, or all that are not over; returns those it cancelled, oldest first."""
        states = {"queued"} if waiting_only else {"queued", *HELD}
        with self._writing() as db:
            return [self.cancel(row["id"]) for row in self._in(db, states)]

    def events(self, after: int, job: str | None = None, limit: int = 100) -> list[Event]:
        """What happened after the event of that number, oldest first; of one job, or of all."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT id, body FROM event WHERE id > :after AND (:job IS NULL OR job = :job)"
                " ORDER BY id LIMIT :limit",
                {"after": after, "job": job, "limit": limit},
            ).fetchall()
        return [load(Event, {"id": row["id"], **json.loads(row["body"])}) for row in rows]

    def last_event(self) -> int:
        """The number of the newest event; 0 before the first."""
        with self._reading() as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM event").fetchone()[0])

    def media_type(self, digest: str) -> str | None:
        """Of what type a picture is; None when no job has it."""
        with self._reading() as db:
            row = db.execute("SELECT media_type FROM artifact WHERE sha256 = ? LIMIT 1", (digest,)).fetchone()
        return row and str(row["media_type"])

    def counts(self) -> tuple[int, int]:
        """How many jobs wait, and how many are being worked on."""
        with self._reading() as db:
            return len(self._in(db, {"queued"})), len(self._in(db, HELD))

    def facts(self) -> dict[str, str]:
        """What the worker told about itself: device, model."""
        with self._reading() as db:
            return {row["name"]: row["value"] for row in db.execute("SELECT name, value FROM fact")}

    def digests(self) -> set[str]:
        """Every picture some job refers to."""
        with self._reading() as db:
            return {row["sha256"] for row in db.execute("SELECT sha256 FROM artifact")}

    # What the worker does

    def claim(self) -> Claim | None:
        """Takes the oldest waiting job; None when nothing waits."""
        with self._writing() as db:
            row = db.execute("SELECT * FROM job WHERE state = 'queued' ORDER BY number LIMIT 1").fetchone()
            if row is None:
                return None
            ticket = self._advance(db, row, "claim")
            return Claim(row["id"], ticket.fence, loads(Blockout, row["blockout"]))

    def start(self, claim: Claim) -> None:
        """The model is ready, painting begins. Raises StaleClaim."""
        with self._writing() as db:
            self._advance(db, self._held(db, claim), "start")

    def report(self, claim: Claim, moment: Moment) -> None:
        """Notes how far the job is. Raises StaleClaim."""
        with self._writing() as db:
            row = self._held(db, claim)
            db.execute(
                "UPDATE job SET phase = ?, step = ?, sequence = sequence + 1 WHERE id = ?",
                (moment.phase, moment.step, row["id"]),
            )
            self._log(db, claim.job, "progress", energies=moment.energies)

    def preview(self, claim: Claim, artifact: Artifact) -> None:
        """Shows what the picture looks like so far. Raises StaleClaim."""
        with self._writing() as db:
            self._held(db, claim)
            db.execute("UPDATE job SET sequence = sequence + 1 WHERE id = ?", (claim.job,))
            self._attach(db, claim.job, artifact)
            self._log(db, claim.job, "preview", artifact=artifact)

    def finish(self, claim: Claim, artifacts: tuple[Artifact, ...], achieved: tuple[Achieved, ...] = ()) -> None:
        """The job is done; these are its pictures, and what they show. Raises StaleClaim."""
        with self._writing() as db:
            row = self._held(db, claim)
            db.execute("UPDATE job SET achieved = ? WHERE id = ?", (json.dumps(dump(achieved)), claim.job))
            for artifact in artifacts:
                self._attach(db, claim.job, artifact)
            self._advance(db, row, "finish")

    def fail(self, claim: Claim, problem: Problem) -> None:
        """The job cannot be done. Raises StaleClaim."""
        with self._writing() as db:
            self._advance(db, self._held(db, claim), "fail", problem)

    def release(self, claim: Claim) -> None:
        """Gives the job back untouched, for the next worker. Raises StaleClaim."""
        with self._writing() as db:
            self._advance(db, self._held(db, claim), "release")

    def lose_held(self) -> None:
        """The worker is gone: what it held waits again, or fails when it was lost once before."""
        problem = WorkerLost("The painting process died twice while it worked on this job").problem()
        with self._writing() as db:
            for row in self._in(db, HELD):
                self._advance(db, row, "lose", problem)

    def state_fact(self, name: str, value: str) -> None:
        """Notes a fact about the worker."""
        with self._writing() as db:
            db.execute("INSERT INTO fact VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value))

    # How

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            yield self._db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            if self._db.in_transaction:  # cancel_many cancels inside its own transaction
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            with self._db:  # commits, or rolls back when the body raises
                yield self._db

    def _insert(self, db: sqlite3.Connection, blockout: Blockout, body: str, key: str, digest: str) -> Job:
        job, ticket = secrets.token_hex(16), Ticket()
        of_ticket = (ticket.state, ticket.sequence, ticket.fence, ticket.attempts)
        of_blockout = (blockout.steps, blockout.model, blockout.prompt, blockout.seed, body)
        db.execute(
            "INSERT INTO job (id, state, sequence, fence, attempts, created, steps, model, prompt, seed, blockout)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (job, *of_ticket, time.time(), *of_blockout),
        )
        db.execute("INSERT INTO submission VALUES (?, ?, ?)", (key, digest, job))
        self._log(db, job, "state")
        return self.job(job)

    def _advance(self, db: sqlite3.Connection, row: sqlite3.Row, verb: Verb, problem: Problem | None = None) -> Ticket:
        ticket = advance(Ticket(row["state"], row["sequence"], row["fence"], row["attempts"]), verb)
        failed = json.dumps(dump(problem)) if ticket.state == "failed" else None
        db.execute(
            "UPDATE job SET state = ?, sequence = ?, fence = ?, attempts = ?, problem = ? WHERE id = ?",
            (ticket.state, ticket.sequence, ticket.fence, ticket.attempts, failed, row["id"]),
        )
        self._log(db, row["id"], "state")
        return ticket

    def _held(self, db: sqlite3.Connection, claim: Claim) -> sqlite3.Row:
        row = self._row(db, claim.job)
        if row["fence"] != claim.fence or row["state"] not in HELD:
            raise StaleClaim(f"job {claim.job} is {row['state']} under fence {row['fence']}, not {claim.fence}")
        return row

    def _row(self, db: sqlite3.Connection, job: str) -> sqlite3.Row:
        row: sqlite3.Row | None = db.execute("SELECT * FROM job WHERE id = ?", (job,)).fetchone()
        if row is None:
            raise UnknownJob(f"There is no job {job[:64]}")
        return row

    def _in(self, db: sqlite3.Connection, states: Any) -> list[sqlite3.Row]:
        return db.execute(
            "SELECT * FROM job WHERE state IN (SELECT value FROM json_each(?)) ORDER BY number",
            (json.dumps(list(states)),),
        ).fetchall()

    def _job(self, db: sqlite3.Connection, row: sqlite3.Row) -> Job:
        rows = db.execute(
            "SELECT sha256, kind, media_type, bytes FROM artifact WHERE job = ? ORDER BY kind", (row["id"],)
        )
        names = ("id", "state", "sequence", "created", "phase", "step", "steps", "model", "prompt", "seed")
        problem = row["problem"] and loads(Problem, row["problem"])
        artifacts = tuple(Artifact(**artifact) for artifact in rows)
        achieved = tuple(load(Achieved, document) for document in json.loads(row["achieved"]))
        return Job(**{name: row[name] for name in names}, artifacts=artifacts, problem=problem, achieved=achieved)

    def _attach(self, db: sqlite3.Connection, job: str, artifact: Artifact) -> None:
        db.execute(
            "INSERT INTO artifact (job, kind, sha256, media_type, bytes) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes",
            (job, artifact.kind, artifact.sha256, artifact.media_type, artifact.bytes),
        )

    def _log(self, db: sqlite3.Connection, job: str, kind: str, **news: Any) -> None:
        row = self._row(db, job)
        body = {name: row[name] for name in ("sequence", "state", "phase", "step", "steps")}
        body |= {"job": job, "kind": kind, "artifact": None, **{name: dump(value) for name, value in news.items()}}
        if kind != "state":
            db.execute("DELETE FROM event WHERE job = ? AND kind = ?", (job, kind))
        db.execute("INSERT INTO event (job, kind, body) VALUES (?, ?, ?)", (job, kind, json.dumps(body)))
