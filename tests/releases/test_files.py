# SPDX-License-Identifier: MIT
"""What each release wrote, opened by today's readers: blockouts, queue, history, pending jobs, styles."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from addon.client.api import Client
from addon.pictures import history
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import dump, load, loads
from addon.request import styles
from addon.session import pending
from addon.session.state import Session
from server.queue.artifacts import ArtifactStore
from server.queue.migrations import MIGRATIONS, backup_of
from server.queue.store import Store
from tests.releases.records import RELEASES
from tests.server.processes import faults_in
from tests.server.serving import serving

BLOCKOUTS = [path for release in RELEASES for path in sorted((release / "blockouts").glob("*.blockout.json"))]


@pytest.fixture(params=RELEASES, ids=lambda release: release.name)
def release(request, tmp_path) -> Path:
    """A copy of what a release left, to be opened and changed."""
    return Path(shutil.copytree(request.param, tmp_path / "release"))


@pytest.mark.parametrize("path", BLOCKOUTS, ids=lambda path: f"{path.parents[1].name} {path.name.partition('.')[0]}")
def test_a_blockout_is_read_and_written_as_it_was(path: Path) -> None:
    """By both readers; where every field was written, today's text says the very same."""
    text = path.read_text("utf-8")
    blockout, document = loads(Blockout, text), json.loads(text)
    assert TypeAdapter(Blockout).validate_json(text) == blockout
    assert load(Blockout, dump(blockout)) == blockout
    written = dump(blockout)
    assert {name: written[name] for name in document if name != "regions"} == {
        name: value for name, value in document.items() if name != "regions"
    }
    assert path.name != "every-field.blockout.json" or written == document


def rows(database: Path) -> dict[str, sqlite3.Row]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return {row["id"]: row for row in db.execute("SELECT * FROM job ORDER BY number")}


def test_the_queue_is_migrated_and_kept_as_it_was(release: Path) -> None:
    database = release / "home" / "jobs.sqlite"
    before, (version,) = rows(database), versions(database)
    store = Store(database)
    jobs = {job.id: job for job in store.jobs(1000)}
    assert [job.state for job in jobs.values()] == [row["state"] for row in reversed(before.values())]
    assert {job.problem.type for job in jobs.values() if job.problem} == {"painting-failed"}
    assert any(job.achieved for job in jobs.values())
    shelf = ArtifactStore(release / "home" / "shelf")
    assert all(shelf.find(artifact.sha256) for job in jobs.values() for artifact in job.artifacts)
    assert [event for job in jobs for event in store.events(0, job)]
    store.close()
    if version < len(MIGRATIONS):
        assert rows(backup_of(database, version)) == before
        assert versions(backup_of(database, version)) == (version,)


def versions(database: Path) -> tuple[int]:
    with closing(sqlite3.connect(database)) as db:
        version: tuple[int] = db.execute("PRAGMA user_version").fetchone()
        return version


def test_what_waited_or_was_in_hand_is_painted_and_what_was_over_stays(release: Path) -> None:
    """A running job whose worker had died once before, one that was only claimed, two that waited: all innocent."""
    home = release / "home"
    before = rows(home / "jobs.sqlite")
    assert {row["state"] for row in before.values()} >= {"queued", "leased", "running", "done", "failed", "cancelled"}
    with serving(home) as served:
        after = {job: served.reaches(job) for job in before}
        listed = served.json("GET", "/v1/jobs?limit=200")[1]
    assert {job["id"]: job for job in listed} == after
    over = {"done", "failed", "cancelled"}
    ends = {job: row["state"] if row["state"] in over else "done" for job, row in before.items()}
    assert {job: document["state"] for job, document in after.items()} == ends
    assert all(document["sequence"] >= before[job]["sequence"] for job, document in after.items())
    assert faults_in(home / "jobs.sqlite") == []


def test_a_key_of_an_earlier_release_is_still_known(release: Path) -> None:
    """A client that lost its answer, and whose server was updated before it asks again."""
    database = release / "home" / "jobs.sqlite"
    with closing(sqlite3.connect(database)) as db:
        keys = db.execute("SELECT key, job, blockout FROM submission JOIN job ON job.id = submission.job").fetchall()
    store = Store(database)
    for key, job, text in keys:
        known, new = store.submit(loads(Blockout, text), key, 1000)
        assert (known.id, new) == (job, False)
    store.close()


def test_the_history_on_disk_is_read(release: Path) -> None:
    folder = release / "user" / "pictures"
    lines = history.listing(folder)
    entries = [history.find(folder, line.name) for line in lines]
    assert len(entries) >= 2 and all(line.entry for line in lines)
    assert [line.favourite for line in lines].count(True) == 1
    for entry in entries:
        picture = history.picture(folder, entry.name)
        assert picture is not None and picture.read_bytes().startswith(b"\x89PNG")
        assert entry.caption and entry.achieved and entry.settings.camera is not None
        assert history.parse(history.text(entry)) == entry
        assert load(Blockout, json.loads(history.request(entry))) == entry.request


def test_pending_jobs_are_taken_up(release: Path) -> None:
    session = pending.resumed(Session(), release / "user")
    assert len(session.tasks) >= 5 and len(session.cancelling) == 1
    assert {task.job.state for task in session.tasks} == {"queued", "done"}
    assert all(task.view.origin.file and task.settings.prompt for task in session.tasks)
    assert not list((release / "user").glob(pending.FILES)), "who takes a file takes it away"
    pending.save(release / "user", session)
    again = pending.resumed(Session(), release / "user")
    assert (again.tasks, again.cancelling) == (session.tasks, session.cancelling)


def test_the_server_knows_the_pending_jobs_and_they_end(release: Path) -> None:
    session = pending.resumed(Session(), release / "user")
    with serving(release / "home") as served:
        for task in session.tasks:
            served.reaches(task.job.id)
        client = Client(served.connection)
        ended = [asyncio.run(client.job(task.job.id)) for task in session.tasks]
    assert all(
        job.state == "done" and job.seed == task.job.seed for job, task in zip(ended, session.tasks, strict=True)
    )


def test_styles_are_read(release: Path) -> None:
    rack = styles.read(release / "user" / "styles")
    assert rack.faults == () and rack.find("Mine") is not None
