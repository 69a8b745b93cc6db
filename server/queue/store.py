# SPDX-License-Identifier: MIT
"""The queue on disk: jobs, their events, their pictures. SQLite, one statement a method where one will do.

Two processes write: the server (submit, cancel, lose) and its worker (claim, report, finish). Each change of state runs
inside ``BEGIN IMMEDIATE`` as *read the row, ask* ``job_state.advance``, *write the row, log the event*, so that the
state machine stays in one file and two claims can never take one job. Readers have a connection of their own, and
never wait for a writer. Whenever the file cannot be used, whatever is called raises QueueUnavailable.

The event log is also every listener's mailbox. States are kept; of progress and previews only the newest of a job, so
a slow reader skips what is stale, and no queue of ours can grow.
"""

import json
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from addon.protocol.answers import Achieved, Event, Job, Problem, State
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import ContractError, dump, loads

from ..problems import KeyReused, QueueFull
from . import rows, sharing
from .artifacts import ArtifactStore, PictureFile
from .availability import available, unavailable
from .changes import advance, claimed, forget, insert, log, note_progress, put_back, refer, to_front, waiting
from .job_state import ACTIVE
from .migrations import PATIENCE, connect, reader
from .rows import COLUMNS, in_states, job_by, job_of, job_row
from .sharing import ALONE, WorkerSlot

SHELF = "shelf"  # the folder of the pictures, beside the queue
AT_ONCE = 200  # jobs forgotten under one lock


@dataclass(frozen=True)
class Claim:
    """A job in hand; worth something only as long as its fence is the job's newest."""

    job: str
    fence: int
    blockout: Blockout


@dataclass(frozen=True)
class JobProgress:
    """How far a job is. ``energies`` are (term, value) pairs."""

    phase: str
    step: int = 0
    energies: tuple[tuple[str, float], ...] = ()


class Store:
    """The queue. Two connections, one that writes and one that reads, each used by one thread at a time.

    ``patience``: seconds to wait for whoever has locked the file. Raises what ``connect`` raises but sqlite3.Error.
    """

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        with available():
            self._db, self._reader = connect(path, patience), reader(path, patience)
        self.artifacts, self._patience = ArtifactStore(path.with_name(SHELF)), patience
        self._writers, self._readers = threading.Lock(), threading.Lock()

    def close(self) -> None:
        """Closes the file; SQLite folds its write-ahead log in."""
        self._reader.close()
        self._db.close()

    # What clients ask for

    def submit(self, blockout: Blockout, key: str, limit: int, instead: str | None = None) -> tuple[Job, bool]:
        """Queues a job; with a key seen before, answers the job it made. The flag says whether the job is new.

        ``instead`` is a waiting job that is cancelled, and whose place in the queue the new one takes. Raises KeyReused
        when the key came with another blockout, QueueFull when ``limit`` jobs wait, UnknownJob, NotWaiting,
        UnknownReference.
        """
        body = json.dumps(dump(blockout))
        digest = sha256(body.encode()).hexdigest()
        with self._writing() as db:
            submission = db.execute("SELECT digest, job FROM submission WHERE key = ?", (key,)).fetchone()
            if submission and submission["digest"] != digest:
                raise KeyReused("This Idempotency-Key came with another blockout before")
            if submission:
                return job_by(db, submission["job"]), False
            if instead is not None:
                replaced = waiting(db, instead)
                advance(db, replaced, "cancel")
                return refer(db, self.artifacts, insert(db, blockout, body, key, digest, replaced), blockout), True
            if rows.waiting_count(db) >= limit:
                raise QueueFull(f"{limit} jobs are waiting", headers={"Retry-After": "10"})
            return refer(db, self.artifacts, insert(db, blockout, body, key, digest), blockout), True

    def keep(self, png: bytes) -> str:
        """Keeps a picture for jobs to follow; its digest. It goes with them, or at the next start. Raises NoRoom."""
        with self.artifacts.staged((PictureFile("full", png),)) as placed, self._writing():
            (artifact,) = placed()
            self.artifacts.note_sent(artifact.sha256)
        return artifact.sha256

    def prune(self, most: int, most_bytes: int) -> int:
        """Forgets jobs that are over, the oldest first and AT_ONCE of them at most, until no more than ``most`` are
        kept, with pictures of ``most_bytes``; their events, keys and pictures go with them. How many it forgot."""
        with self._reading() as db:
            jobs = rows.superfluous(db, most, most_bytes, AT_ONCE)
        if jobs:
            with self._writing() as db:
                pictures = forget(db, jobs)
            self._collect(pictures)
        return len(jobs)

    def sweep(self) -> None:
        """Deletes every file on the shelf that no job refers to."""
        with self._writing() as db:
            self.artifacts.sweep(rows.referenced(db))

    def _collect(self, digests: Collection[str]) -> None:
        """Deletes those files that no job refers to any more. Once what freed them is written, and never before."""
        with self._writing() as db:
            self.artifacts.remove(rows.unreferenced(db, digests))

    def job(self, job: str) -> Job:
        """One job as it is now. Raises UnknownJob."""
        with self._reading() as db:
            return job_by(db, job)

    def submitted(self, key: str) -> tuple[Job, str] | None:
        """The job that came with this key, and its blockout as JSON; None of a new key."""
        with self._reading() as db:
            return rows.submitted(db, key)

    def jobs(self, limit: int) -> list[Job]:
        """The latest jobs, newest first."""
        with self._reading() as db:
            latest = db.execute(f"SELECT {COLUMNS} FROM job ORDER BY number DESC LIMIT ?", (limit,)).fetchall()
            return [job_of(db, row) for row in latest]

    def move_to_front(self, job: str) -> Job:
        """Makes a waiting job the next to be painted. Raises UnknownJob, and NotWaiting for one that was begun."""
        with self._writing() as db:
            to_front(db, waiting(db, job))
            return job_by(db, job)

    def cancel(self, job: str) -> Job:
        """Cancels the job unless it is over already. Raises UnknownJob."""
        with self._writing() as db:
            row = job_row(db, job)
            if row["state"] in {"queued", *ACTIVE}:
                advance(db, row, "cancel")
            return job_by(db, job)

    def cancel_many(self, *, waiting_only: bool) -> list[Job]:
        """Cancels the waiting jobs, or all that are not over; returns those it cancelled, oldest first."""
        states: set[State] = {"queued"} if waiting_only else {"queued", *ACTIVE}
        with self._writing() as db:
            chosen = in_states(db, states)
            for row in chosen:
                advance(db, row, "cancel")
            return [job_by(db, row["id"]) for row in chosen]

    def events(self, after: int, job: str | None = None, limit: int = 100) -> list[Event]:
        """What happened after the event of that number, oldest first; of one job, or of all."""
        with self._reading() as db:
            return rows.events(db, after, job, limit)

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
            return rows.waiting_count(db), len(in_states(db, ACTIVE))

    def totals(self) -> tuple[dict[str, int], int]:
        """How many jobs there are in each state, and the bytes of all their pictures."""
        with self._reading() as db:
            return rows.states(db), rows.picture_bytes(db)

    def facts(self) -> dict[str, str]:
        """What the worker told about itself: device, model."""
        with self._reading() as db:
            return {row["name"]: row["value"] for row in db.execute("SELECT name, value FROM fact")}

    # What the worker does

    def claim(self, slot: WorkerSlot = ALONE, model: str = "") -> Claim | None:
        """Takes the waiting job whose turn it is, for a worker that has this model in memory; None when none waits for
        it. Those that cannot be read fail on the way."""
        with self._writing() as db:
            while (row := sharing.next_row(db, slot, model)) is not None:
                ticket = advance(db, row, "claim")
                try:
                    claim = Claim(row["id"], ticket.fence, loads(Blockout, row["blockout"]))
                except ContractError as error:
                    advance(db, job_row(db, row["id"]), "fail", rows.unreadable(error))
                    continue
                sharing.take(db, slot, claim.job, claim.blockout.model)
                return claim
            sharing.wait(db, slot, model)
        return None

    def start(self, claim: Claim, phase: str = "") -> None:
        """The model is ready, and this phase begins. Raises StaleClaim."""
        with self._writing() as db:
            advance(db, claimed(db, claim.job, claim.fence), "start")
            if phase:
                note_progress(db, claim.job, phase)

    def report(self, claim: Claim, progress: JobProgress) -> None:
        """Notes how far the job is. Raises StaleClaim."""
        with self._writing() as db:
            claimed(db, claim.job, claim.fence)
            note_progress(db, claim.job, progress.phase, progress.step, progress.energies)

    def preview(self, claim: Claim, picture: PictureFile) -> None:
        """Shows what the picture looks like so far, in place of the last preview. Raises StaleClaim, NoRoom."""
        with self._writing() as db:
            claimed(db, claim.job, claim.fence)
            artifact = self.artifacts.put(picture)
            db.execute("UPDATE job SET sequence = sequence + 1 WHERE id = ?", (claim.job,))
            earlier = rows.attach(db, claim.job, artifact)
            log(db, claim.job, "preview", artifact=artifact)
        if earlier:
            self._collect([earlier])

    def finish(self, claim: Claim, pictures: tuple[PictureFile, ...], achieved: tuple[Achieved, ...] = ()) -> None:
        """The job is done; these are its pictures, and what they show. Raises StaleClaim, NoRoom."""
        with self.artifacts.staged(pictures) as placed, self._writing() as db:
            row = claimed(db, claim.job, claim.fence)
            db.execute("UPDATE job SET achieved = ? WHERE id = ?", (json.dumps(dump(achieved)), claim.job))
            for artifact in placed():
                rows.attach(db, claim.job, artifact)
            advance(db, row, "finish")

    def fail(self, claim: Claim, problem: Problem) -> None:
        """The job cannot be done. Raises StaleClaim."""
        with self._writing() as db:
            advance(db, claimed(db, claim.job, claim.fence), "fail", problem)

    def release(self, claim: Claim) -> None:
        """Gives the job back untouched, for the next worker. Raises StaleClaim."""
        with self._writing() as db:
            put_back(db, claimed(db, claim.job, claim.fence), "release")

    def put_back(self, verb: Literal["lose", "restart"], slot: WorkerSlot = ALONE) -> None:
        """What a worker held waits again, or fails when it happened too often: the worker died, or the server went."""
        with self._writing() as db:
            for row in sharing.in_hand(db, slot):
                put_back(db, row, verb, rows.put_back_too_often(verb))
            sharing.end(db, slot)

    def state_fact(self, name: str, value: str) -> None:
        """Notes a fact about the worker."""
        with self._writing() as db:
            db.execute("INSERT INTO fact VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value))

    def forget_facts(self, names: Iterable[str]) -> None:
        """What every worker said of itself under these names counts no longer."""
        with self._writing() as db:
            for name in names:
                db.execute("DELETE FROM fact WHERE name = ? OR name GLOB ? || '.[0-9]*'", (name, name))

    # How

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._readers, available():
            self._reader.execute("BEGIN")  # what is read in turn fits together
            with self._reader:
                yield self._reader

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if not self._writers.acquire(timeout=self._patience):
            raise unavailable("others wait for it")
        try:
            with available():
                self._db.execute("BEGIN IMMEDIATE")
                with self._db:  # commits, or rolls back when the body raises
                    yield self._db
        finally:
            self._writers.release()
