# SPDX-License-Identifier: MIT
"""The queue's rows: how they are found, and the records of the wire that they become.

A row may have been written by another version, or be damaged. One that cannot be read is one failed job, which says
why; it never stops the queue, nor hides the other jobs of a list.
"""

import json
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from addon.protocol.answers import Artifact, Event, Job, Problem, State
from addon.protocol.strict_json import ContractError, dump, load

from ..problems import Interrupted, UnknownJob, UnreadableJob, WorkerLost
from ..unique_names import printable
from .job_state import ATTEMPTS, RESTARTS

PLAIN = ("id", "state", "sequence", "created", "phase", "step", "steps", "model", "prompt", "seed", "position")
WAITING = "job INDEXED BY job_by_turn WHERE state = 'queued'"  # by that index, whatever SQLite thinks is quicker
TURN = "position, coalesce(stands_for, number)"  # in which order jobs that wait are painted
COLUMNS = (
    "number, id, state, sequence, fence, attempts, restarts, created, phase, step, steps, model, prompt, seed, problem,"
    " achieved, position, stands_for, worker"
)  # of a job, all but what was asked for, which may be of megabytes
REFERENCE = "reference"  # what kind of picture it is that a job follows: none of its own
TEXTS = ("problem", "achieved")  # columns that hold JSON


def job_row(db: sqlite3.Connection, job: str) -> sqlite3.Row:
    """The row of a job. Raises UnknownJob."""
    row: sqlite3.Row | None = db.execute(f"SELECT {COLUMNS} FROM job WHERE id = ?", (job,)).fetchone()
    if row is None:
        raise UnknownJob(f"There is no job {job[:64]}")
    return row


def in_states(db: sqlite3.Connection, states: Collection[State]) -> list[sqlite3.Row]:
    """The rows of the jobs in these states, oldest first."""
    return db.execute(
        f"SELECT {COLUMNS} FROM job WHERE state IN (SELECT value FROM json_each(?)) ORDER BY number",
        (json.dumps(list(states)),),
    ).fetchall()


def waiting_count(db: sqlite3.Connection) -> int:
    """How many jobs wait."""
    return int(db.execute(f"SELECT count(*) FROM {WAITING}").fetchone()[0])


def attach(db: sqlite3.Connection, job: str, artifact: Artifact) -> str | None:
    """Give a job a picture, in the place of an earlier one of that kind, whose digest is returned."""
    of_kind = "SELECT sha256 FROM artifact WHERE job = ? AND kind = ?"
    earlier = db.execute(of_kind, (job, artifact.kind)).fetchone()
    db.execute(
        "INSERT INTO artifact (job, kind, sha256, media_type, bytes) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes",
        (job, artifact.kind, artifact.sha256, artifact.media_type, artifact.bytes),
    )
    return earlier and str(earlier["sha256"])


def refer(db: sqlite3.Connection, job: str, digest: str, size: int, number: int = 0) -> None:
    """Note a picture that a job refers to, the first or one of more; which is none of its own."""
    values = (job, f"{REFERENCE} {number}" if number else REFERENCE, digest, "image/png", size)
    db.execute("INSERT INTO artifact (job, kind, sha256, media_type, bytes) VALUES (?, ?, ?, ?, ?)", values)


def submitted(db: sqlite3.Connection, key: str) -> tuple[Job, str] | None:
    """The job that came with a key, and its blockout as JSON; None of a key that nobody sent."""
    query = "SELECT job.id, job.blockout FROM submission JOIN job ON job.id = submission.job WHERE submission.key = ?"
    row = db.execute(query, (key,)).fetchone()
    return row and (job_by(db, row["id"]), str(row["blockout"]))


def states(db: sqlite3.Connection) -> dict[str, int]:
    """How many jobs there are in each state."""
    return {row["state"]: row["n"] for row in db.execute("SELECT state, count(*) AS n FROM job GROUP BY state")}


def referenced(db: sqlite3.Connection) -> set[str]:
    """The digest of every picture that some job has or follows."""
    return {row["sha256"] for row in db.execute("SELECT sha256 FROM artifact")}


def unreferenced(db: sqlite3.Connection, digests: Collection[str]) -> set[str]:
    """Those of the digests that no job refers to."""
    query = "SELECT sha256 FROM artifact WHERE sha256 IN (SELECT value FROM json_each(?))"
    return set(digests) - {row["sha256"] for row in db.execute(query, (json.dumps(list(digests)),))}


def picture_bytes(db: sqlite3.Connection) -> int:
    """The bytes of all pictures that some job has or follows, each file once."""
    files = "SELECT max(bytes) AS bytes FROM artifact GROUP BY sha256"
    return int(db.execute(f"SELECT coalesce(sum(bytes), 0) FROM ({files})").fetchone()[0])


def superfluous(db: sqlite3.Connection, most: int, most_bytes: int, limit: int) -> list[str]:
    """Jobs that are over and too many, or whose pictures are too large with those of all newer ones; oldest first.

    A file that several have counts once, with the newest of them. The newest job stays in any case.
    """
    files = "SELECT max(number) AS newest, bytes FROM finished JOIN artifact ON job = id GROUP BY sha256"
    rows = db.execute(
        "WITH finished AS (SELECT number, id FROM job WHERE state IN ('done', 'failed', 'cancelled')),"
        f" sizes AS (SELECT newest, sum(bytes) AS size FROM ({files}) GROUP BY newest)"
        " SELECT id FROM (SELECT number, id, row_number() OVER newest AS rank,"
        " sum(coalesce(size, 0)) OVER newest AS total FROM finished LEFT JOIN sizes ON sizes.newest = number"
        " WINDOW newest AS (ORDER BY number DESC))"
        " WHERE rank > ? OR (total > ? AND rank > 1) ORDER BY number LIMIT ?",
        (max(most, 1), most_bytes, limit),
    )
    return [row["id"] for row in rows]


def job_by(db: sqlite3.Connection, job: str) -> Job:
    """The job of that id. Raises UnknownJob."""
    return job_of(db, job_row(db, job))


def job_of(db: sqlite3.Connection, row: sqlite3.Row) -> Job:
    """The job of a row, with its pictures."""
    artifacts = "SELECT sha256, kind, media_type, bytes FROM artifact WHERE job = ? AND kind NOT GLOB ? ORDER BY kind"
    pictures = [dict(each) for each in db.execute(artifacts, (row["id"], f"{REFERENCE}*"))]
    try:
        texts = {name: _parsed(row, name) for name in TEXTS}
        attempt = {"attempt": max(1, row["fence"])}  # each claim is one
        return load(Job, {name: row[name] for name in PLAIN} | texts | attempt | {"artifacts": pictures})
    except ContractError as error:
        return _unreadable(row, pictures, unreadable(error))


def events(db: sqlite3.Connection, after: int, job: str | None, limit: int) -> list[Event]:
    """What happened after the event of that number, oldest first; of one job, or of all."""
    rows = db.execute(
        "SELECT id, job, body FROM event WHERE id > :after AND (:job IS NULL OR job = :job) ORDER BY id LIMIT :limit",
        {"after": after, "job": job, "limit": limit},
    ).fetchall()
    return [event_of(row, partial(job_by, db, row["job"])) for row in rows]


def event_of(row: sqlite3.Row, job: Callable[[], Job]) -> Event:
    """The event of a row; of one that cannot be read, how its ``job`` is now, which is what every event hints at."""
    try:
        body = _parsed(row, "body")
        return load(Event, {**body, "id": row["id"]} if isinstance(body, dict) else body)
    except ContractError:
        now = job()
        return Event(
            id=row["id"],
            job=now.id,
            sequence=now.sequence,
            kind="state",
            state=now.state,
            phase=now.phase,
            step=now.step,
            steps=now.steps,
            artifact=None,
        )


def unreadable(error: ContractError) -> Problem:
    """What a job says whose row cannot be read."""
    return UnreadableJob(
        f"The queue holds this job in a form unknown to this server: {printable(str(error))}"
    ).problem()


def put_back_too_often(verb: Literal["lose", "restart"]) -> Problem:
    """What a job says that was put back too often."""
    if verb == "lose":
        return WorkerLost(f"The painting process died {ATTEMPTS} times while it worked on this job").problem()
    return Interrupted(f"The server was started more than {RESTARTS} times while it worked on this job").problem()


def _unreadable(row: sqlite3.Row, pictures: list[dict[str, Any]], problem: Problem) -> Job:
    """A failed job, with everything of the row that can be read by itself."""
    nothing = Job(
        id="unknown",
        state="failed",
        sequence=0,
        created=0.0,
        phase="",
        step=0,
        steps=0,
        artifacts=(),
        problem=problem,
        model="unknown",
        prompt="",
        seed=0,
    )
    document = dump(nothing)
    own = {name: row[name] for name in PLAIN if name != "state"}
    document |= {name: value for name, value in own.items() if _is_one(Job, document | {name: value})}
    readable = tuple(load(Artifact, picture) for picture in pictures if _is_one(Artifact, picture))
    return replace(load(Job, document), artifacts=readable)


def _is_one(kind: type, document: Any) -> bool:
    try:
        load(kind, document)
    except ContractError:
        return False
    return True


def _parsed(row: sqlite3.Row, name: str) -> Any:
    """The JSON value in a column; None where the column is empty."""
    try:
        return None if row[name] is None else json.loads(row[name])
    except (ValueError, RecursionError) as error:
        raise ContractError(name, f"is not JSON: {error}") from error
