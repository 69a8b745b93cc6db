# SPDX-License-Identifier: MIT
"""Workers that die, hang, raise; servers that stop and start again. The queue outlives them all."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from addon.client.api import connect, find_connection
from tests.server.processes import workers_of
from tests.server.serving import at_home, blockout, ended, fake, serving, until

SLOW = {"prompt": "slow cat", "steps": 1000}


async def step_two(client, job):
    async for event in client.events(job=job.id):
        if event.step >= 2:
            return


def painted(home, **changes):
    """Submits one blockout to a server of its own and waits for the end."""

    async def paint():
        async with at_home(fake(home, **changes.pop("settings", {}))) as client:
            return await ended(client, await client.submit(blockout(**changes), "key"))

    return asyncio.run(paint())


@pytest.fixture(autouse=True)
def quick_restarts(monkeypatch, own_home):
    own_home.mkdir()
    monkeypatch.setattr("server.worker.supervisor.RESTART_SECONDS", (0.01, 0.05))


@pytest.mark.parametrize(
    ("prompt", "type", "status"),
    [
        ("a cat, raise", "painting-failed", 500),
        ("a cat, huge", "out-of-memory", 507),
        ("a cat, die", "worker-lost", 500),
    ],
)
def test_a_failed_job_says_why(tmp_path, prompt, type, status):
    job = painted(tmp_path / "home", prompt=prompt)
    assert (job.state, job.problem.type, job.problem.status) == ("failed", type, status)
    assert job.artifacts == ()
    assert job.problem.fix


def test_missing_weights_fail_the_job(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_ENGINE_ABSENT", "1")
    assert painted(tmp_path / "home").problem.type == "no-model"


def test_a_job_survives_one_death(tmp_path):
    assert painted(tmp_path / "home", prompt="a cat, die once").state == "done"


def test_a_hanging_worker_is_replaced(tmp_path):
    job = painted(tmp_path / "home", prompt="a cat, hang", settings={"patience": 1.0})
    assert (job.state, job.problem.type) == ("failed", "worker-lost")


def test_the_queue_goes_on_after_a_failure(tmp_path):
    async def paint():
        async with at_home(fake(tmp_path / "home")) as client:
            jobs = [await client.submit(blockout(prompt=f"a cat {how}"), how) for how in ("raise", "huge", "well")]
            return [(await ended(client, job)).state for job in jobs]

    assert asyncio.run(paint()) == ["failed", "failed", "done"]


def test_the_api_stays_up_while_workers_are_killed(tmp_path):
    async def kill(served):
        client = await connect(served.connection)
        job = await client.submit(blockout(**SLOW), "key")
        for _ in range(2):
            await until(lambda: running(client, job))
            (worker,) = workers_of(served.process.pid)
            os.kill(worker, signal.SIGKILL)
            await until(lambda: not_running(client, job))
        lost = await ended(client, job)
        return lost, await ended(client, await client.submit(blockout(), "next"))

    async def running(client, job):
        return (await client.job(job.id)).state == "running"

    async def not_running(client, job):
        return not await running(client, job)

    with serving(tmp_path / "home") as served:
        lost, following = asyncio.run(kill(served))
    assert (lost.state, lost.problem.type, following.state) == ("failed", "worker-lost", "done")


def test_sigterm_gives_the_job_back_and_the_next_server_paints_it(tmp_path):
    home = tmp_path / "home"

    async def begin(served):
        client = await connect(served.connection)
        job = await client.submit(blockout(prompt="slow cat", steps=60), "key")
        await step_two(client, job)
        return job

    with serving(home) as served:
        job = asyncio.run(begin(served))
        began = time.monotonic()
        served.process.terminate()
        assert served.process.wait(15) == 0
        assert time.monotonic() - began < 10
    assert not (home / "connection.json").exists()

    async def finish(served):
        return await ended(await connect(served.connection), job)

    with serving(home) as served:
        done = asyncio.run(finish(served))
    assert done.state == "done"
    assert done.sequence > job.sequence


def test_a_killed_server_leaves_no_worker_and_its_job_is_painted_once(tmp_path):
    home = tmp_path / "home"

    async def begin(served):
        client = await connect(served.connection)
        job = await client.submit(blockout(prompt="slow cat", steps=40), "key")
        await step_two(client, job)
        return job, workers_of(served.process.pid)

    with serving(home) as served:
        job, workers = asyncio.run(begin(served))
        served.process.kill()
        served.process.wait(5)
        asyncio.run(until(lambda: gone(workers)))

    async def finish(served):
        client = await connect(find_connection(home / "connection.json"))
        return await ended(client, job)

    (home / "connection.json").unlink()
    with serving(home) as served:
        done = asyncio.run(finish(served))
    assert done.state == "done"
    assert [artifact.kind for artifact in done.artifacts if artifact.kind != "preview"] == ["full", "picture"]


async def gone(processes):
    return not any(Path(f"/proc/{process}/cmdline").exists() for process in processes)
