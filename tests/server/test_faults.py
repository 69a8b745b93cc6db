# SPDX-License-Identifier: MIT
"""Restarts and locks: neither is the fault of a job, and neither fails one."""

import asyncio
import json
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing, contextmanager

import pytest

from addon.protocol.strict_json import dump
from server.http.app import create_app
from server.queue.sharing import ALONE
from server.queue.store import Store
from server.worker.engine import Progress
from server.worker.pipe import Pipe
from server.worker.process import LOCK_SECONDS
from server.worker.reporter import JobReporter, WorkerFacts
from tests.server.processes import attempts, faults_in, processes_of, workers_of
from tests.server.serving import FAKE, blockout, fake, serving, wait_until

LONG = {"prompt": "a cat ms=2500", "steps": 4}  # steps that outlast a drain of a second
HASTY = {"drain": 1.0}


@contextmanager
def locked(database):
    """Somebody else writes to the file: a backup, a virus scanner."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            db.execute("ROLLBACK")


def test_stopping_the_server_in_a_long_step_fails_no_job(tmp_path):
    """Asked to stop three times, each in a step that is longer than the server waits for."""
    home = tmp_path / "home"
    with serving(home, settings=HASTY) as served:
        job = served.submit(**LONG)
        served.reaches(job, "running")
    for restart in (1, 2):
        assert attempts(home, job) == (0, restart)
        with serving(home, settings=HASTY) as served:
            assert served.reaches(job, "running")["problem"] is None
    with serving(home) as served:
        assert served.reaches(job)["state"] == "done"
    assert attempts(home, job) == (0, 3)
    assert faults_in(home / "jobs.sqlite") == [] and processes_of(home) == []


@pytest.mark.parametrize("with_worker", [False, True], ids=["the server", "the server and its worker"])
def test_killing_the_server_again_and_again_fails_no_job(tmp_path, with_worker):
    home = tmp_path / "home"
    with serving(home) as served:
        job = served.submit(**LONG)
        served.reaches(job, "running")
        served.kill(with_worker=with_worker)
    for restart in (1, 2):
        with serving(home) as served:
            assert served.reaches(job, "running")["problem"] is None
            lost, restarts = attempts(home, job)
            assert lost == 0 and restarts <= restart  # an orphan whose step ends in time gives the job back itself
            served.kill(with_worker=with_worker)
    with serving(home) as served:
        assert served.reaches(job)["state"] == "done"
    wait_until(lambda: processes_of(home) == [])  # what was orphaned ends with its step
    assert faults_in(home / "jobs.sqlite") == []


def test_the_first_answer_shows_no_job_in_hand_of_a_server_that_is_gone(tmp_path):
    settings = fake(tmp_path)
    store = Store(settings.database)
    job, _ = store.submit(blockout(), "key", 1)
    assert store.claim() is not None
    store.close()

    async def first() -> str:
        app = create_app(settings, "token")
        async with app.router.lifespan_context(app):  # and no task of the server's has run yet
            return app.state.services.store.job(job.id).state

    assert asyncio.run(first()) == "queued"


def test_a_worker_that_dies_of_a_job_counts_across_restarts(tmp_path):
    home = tmp_path / "home"
    with serving(home) as served:
        job = served.submit(**LONG)
        served.reaches(job, "running")
        os.kill(workers_of(served.process.pid)[0], signal.SIGKILL)
        wait_until(lambda: attempts(home, job) == (1, 0))
        served.reaches(job, "running")
        served.kill(with_worker=True)
    with serving(home) as served:
        served.reaches(job, "running")
        assert attempts(home, job) == (1, 1)
        os.kill(workers_of(served.process.pid)[0], signal.SIGKILL)
        assert served.reaches(job)["problem"]["type"] == "worker-lost"


def test_a_lock_fails_neither_the_job_in_hand_nor_a_reader(tmp_path):
    """Eight seconds: longer than SQLite is told to wait. A submit is told when to come again, and keeps its key."""
    home, asked = tmp_path / "home", dump(blockout(seed=8))
    with serving(home) as served:
        job = served.submit(prompt="a cat ms=200", steps=30)
        served.reaches(job, "running")
        with locked(home / "jobs.sqlite"):
            began, slowest = time.monotonic(), 0.0
            answers = []
            asking = threading.Thread(target=lambda: answers.append(submit(served, asked)))
            asking.start()
            while time.monotonic() - began < 8.0:
                before = time.monotonic()
                assert served.json("GET", "/v1/health")[0] == served.json("GET", "/v1/jobs")[0] == 200
                slowest = max(slowest, time.monotonic() - before)
                time.sleep(0.05)
            asking.join()
        ((status, headers, problem),) = answers
        assert (status, problem["type"]) == (503, "queue-unavailable")
        assert int(headers["Retry-After"]) >= 1
        assert slowest < 3.0, "readers wait for a writer's lock, which takes 5 s to be given up"
        assert submit(served, asked)[0] == 201
        assert served.reaches(job)["state"] == "done"
        assert attempts(home, job) == (0, 0)
        wait_until(lambda: served.json("GET", "/v1/health")[1]["trouble"] == "")


def submit(served, document):
    """Status, headers and document of a submit under one key."""
    body = json.dumps(document).encode()
    status, headers, answer = served.request("POST", "/v1/jobs", body, Idempotency_Key="one key")
    return status, headers, json.loads(answer)


def test_a_job_that_ends_under_a_lock_keeps_its_picture(tmp_path):
    """The last word on a job is not dropped; while it waits, health says what for."""
    home = tmp_path / "home"
    with serving(home) as served:
        job = served.submit(prompt="a cat ms=100", steps=8)
        served.reaches(job, "running")
        with locked(home / "jobs.sqlite"):
            wait_until(lambda: "waits for the queue" in served.json("GET", "/v1/health")[1]["trouble"])
            time.sleep(2.0)
            assert served.job(job)["state"] == "running"
        done = served.reaches(job)
    assert (done["state"], {artifact["kind"] for artifact in done["artifacts"]} >= {"picture", "full"}) == (
        "done",
        True,
    )


def test_a_lock_does_not_slow_painting_down(tmp_path):
    """A step that cannot be noted is waited for once in a while; what comes after the lock is noted again."""
    store = Store(tmp_path / "jobs.sqlite", LOCK_SECONDS)
    job, _ = store.submit(blockout(steps=1000), "key", 1)
    incoming, ours = os.pipe()
    words, theirs = os.pipe()
    with open(incoming, "rb"), open(words, "rb"), open(theirs, "wb"), open(ours, "wb") as held:
        door = Pipe(incoming, theirs, drain=3600.0)
        easel = JobReporter(store.claim(), WorkerFacts(store, ALONE), door, fake(tmp_path))
        easel.start("painting")
        with locked(tmp_path / "jobs.sqlite"):
            began = time.monotonic()
            for step in range(1, 500):
                easel.report(Progress(step))
            assert time.monotonic() - began < 3 * LOCK_SECONDS
        assert store.job(job.id).step == 0
        wait_until(lambda: easel.report(Progress(500)) or store.job(job.id).step == 500)
        held.close()
        wait_until(lambda: door.leaving)
    store.close()


def test_a_server_that_stops_under_a_lock_loses_no_job(tmp_path):
    home = tmp_path / "home"
    with serving(home, settings=HASTY) as served:
        job = served.submit(prompt="a cat ms=100", steps=1000)
        served.reaches(job, "running")
        with locked(home / "jobs.sqlite"):
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(30) == 0
    assert processes_of(home) == []
    with serving(home, settings=HASTY) as served:
        assert served.reaches(job, "running")["problem"] is None
        assert attempts(home, job) == (0, 1)


@pytest.mark.long
def test_many_crashes_of_everything_lose_nothing(tmp_path):
    """Kills of worker, server and both, at random moments, while jobs come in: each is painted, and none is doubled."""
    import random

    chance, home, jobs = random.Random(7), tmp_path / "home", []
    for round_ in range(30):
        with serving(home, engine=FAKE) as served:
            jobs += [served.submit(f"{round_} {n}", prompt="a cat ms=40", steps=12, seed=n) for n in range(2)]
            time.sleep(chance.uniform(0.2, 1.5))
            if chance.random() < 0.3 and (workers := workers_of(served.process.pid)):
                os.kill(chance.choice(workers), signal.SIGKILL)
                time.sleep(0.3)
            served.kill(with_worker=chance.random() < 0.5)
    with serving(home) as served:
        ended = [served.reaches(job, seconds=120.0) for job in jobs]
    assert [job["problem"] for job in ended if job["state"] != "done" and job["problem"]["type"] != "worker-lost"] == []
    assert sum(job["state"] != "done" for job in ended) <= 2, "workers killed twice in one job are all that may fail it"
    assert len({job["id"] for job in ended}) == len(jobs) and faults_in(home / "jobs.sqlite") == []
    wait_until(lambda: processes_of(home) == [])
