# SPDX-License-Identifier: MIT
"""Several devices: a worker each, jobs to the free one that has the model; and every law holds for each by itself."""

import argparse
import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from server.queue.sharing import WorkerSlot
from server.queue.store import Store
from server.settings import ServerSettings
from server.worker.devices import devices, process_environment
from tests.server.processes import row_of, workers_of
from tests.server.serving import at_home, blockout, ended, fake, painted, serving, until, wait_until

TWO = "cpu,cpu"
ONE, OTHER = WorkerSlot(0, 2), WorkerSlot(1, 2)


def two_models(home: Path, **changes) -> ServerSettings:
    (toybox,) = ServerSettings().models
    models = (toybox, replace(toybox, name="other"))
    return fake(home, devices=("cpu", "cpu"), models=models, **changes)


async def are(client, state: str, *jobs) -> bool:
    return all([(await client.job(job.id)).state == state for job in jobs])


async def both_warm(client) -> dict[str, int]:
    """Has one worker paint each model; which has which, by its place in Health."""
    jobs = [
        await client.submit(blockout(model=model, prompt="slow cat", steps=30), model) for model in ("toybox", "other")
    ]
    await until(lambda: are(client, "running", *jobs), 60)
    for job in jobs:
        assert (await ended(client, job)).state == "done"
    return {worker.model: number for number, worker in enumerate((await client.health()).workers)}


def test_jobs_go_to_the_free_one_that_has_the_model(tmp_path):
    home = tmp_path / "home"

    async def story():
        async with at_home(two_models(home)) as client:
            place = await both_warm(client)
            health = await client.health()
            assert place.keys() == {"toybox", "other"} and health.device == "2 × imagination"
            assert set(health.model.split(", ")) == set(place)
            jobs = []
            for seed in range(6):
                model = ("toybox", "other")[seed % 2]
                jobs.append(await client.submit(blockout(model=model, seed=seed), f"key {seed}"))
                phases = [event.phase async for event in client.events(job=jobs[-1].id)]
                assert "loading the model" not in phases
            busy = await client.submit(blockout(prompt="slow cat", steps=60), "busy")
            await until(lambda: are(client, "running", busy))
            second = await ended(client, await client.submit(blockout(seed=99), "second"))
            assert (second.state, (await client.job(busy.id)).state) == ("done", "running"), (
                "any will do where its own is busy"
            )
            return place, jobs, busy, second

    place, jobs, busy, second = asyncio.run(story())
    for job in (*jobs, busy):
        assert row_of(home / "jobs.sqlite", job.id)["worker"] == place[job.model]
    assert row_of(home / "jobs.sqlite", second.id)["worker"] == place["other"]


def test_a_job_that_failed_takes_no_model_from_its_worker(tmp_path):
    home = tmp_path / "home"

    async def story():
        async with at_home(two_models(home)) as client:
            place = await both_warm(client)
            asked = [(prompt, model) for prompt in ("a huge cat", "a cat") for model in place]
            return place, [await painted(client, blockout(prompt=prompt, model=model)) for prompt, model in asked]

    place, jobs = asyncio.run(story())
    assert [job.state for job in jobs] == ["failed", "failed", "done", "done"]
    for job in jobs:
        assert row_of(home / "jobs.sqlite", job.id)["worker"] == place[job.model]


def worker_process(served, number: int) -> int:
    """The process of the worker of that number, which its command line says."""
    words = {
        process: Path(f"/proc/{process}/cmdline").read_text().split("\0") for process in workers_of(served.process.pid)
    }
    (process,) = [process for process, line in words.items() if line[3:4] == [str(number)]]
    return process


def test_one_that_is_killed_costs_the_other_nothing(tmp_path):
    with serving(tmp_path / "home", "--device", TWO) as served:
        jobs = [served.submit(prompt="slow cat", steps=120, seed=seed) for seed in range(2)]
        for job in jobs:
            served.reaches(job, "running")
        victim = row_of(served.home / "jobs.sqlite", jobs[0])["worker"]
        os.kill(worker_process(served, victim), signal.SIGKILL)
        done = [served.reaches(job) for job in jobs]
        assert [job["state"] for job in done] == ["done", "done"]
        assert [job.get("attempt", 1) for job in done] == [2, 1]
        wait_until(lambda: len(workers_of(served.process.pid)) == 2)


def test_a_poison_job_fails_after_two_deaths_whoever_has_it(tmp_path):
    with serving(tmp_path / "home", "--device", TWO) as served:
        poison = served.submit(prompt="a cat, die")
        innocent = [served.submit(prompt="slow cat", seed=seed, steps=20) for seed in range(4)]
        assert served.reaches(poison)["problem"]["type"] == "worker-lost"
        assert [served.reaches(job)["state"] for job in innocent] == ["done"] * 4


def test_a_cancelled_step_that_hangs_is_ended_and_the_other_paints_on(tmp_path):
    async def story():
        async with at_home(fake(tmp_path / "home", devices=("cpu", "cpu"), grace=0.3)) as client:
            hung = await client.submit(blockout(prompt="a cat, hang"), "hung")
            well = await client.submit(blockout(prompt="slow cat", steps=120), "well")
            await until(lambda: are(client, "running", hung, well), 60)
            await client.cancel(hung.id)
            after = await ended(client, await client.submit(blockout(seed=3), "after"))
            return after.state, await ended(client, well)

    state, well = asyncio.run(story())
    assert (state, well.state, well.attempt) == ("done", "done", 1)


def test_what_both_had_in_hand_outlives_a_power_cut_and_fewer_workers(tmp_path):
    home = tmp_path / "home"
    with serving(home, "--device", TWO) as served:
        jobs = [served.submit(prompt="slow cat", steps=60, seed=seed) for seed in range(2)]
        for job in jobs:
            served.reaches(job, "running")
        served.kill(with_worker=True)
    with serving(home) as served:
        done = [served.reaches(job) for job in jobs]
        assert [(job["state"], job["attempt"]) for job in done] == [("done", 2)] * 2
        began = served.submit(prompt="slow cat", steps=1000)
        served.reaches(began, "running")
        served.process.terminate()
        assert served.process.wait(20) == 0


def test_one_that_nobody_asks_gives_its_memory_back(tmp_path):
    async def story():
        async with at_home(two_models(tmp_path / "home", idle_unload=2.0)) as client:
            place = await both_warm(client)

            async def has_unloaded() -> bool:
                await ended(client, await client.submit(blockout(), os.urandom(4).hex()))
                return (await client.health()).workers[place["other"]].model == ""

            await until(has_unloaded, 20)
            return (await client.health()).workers[place["toybox"]].model

    assert asyncio.run(story()) == "toybox"


def test_a_job_waits_for_its_own_only_while_that_is_free(tmp_path):
    store = Store(tmp_path / "jobs.sqlite")
    assert store.claim(ONE, "toybox") is None and store.claim(OTHER, "other") is None
    store.submit(blockout(), "first", 9)
    assert store.claim(OTHER, "other") is None, "the first has its model, and was woken too"
    first = store.claim(ONE, "toybox")
    store.submit(blockout(seed=1), "second", 9)
    second = store.claim(OTHER, "other")
    assert second is not None and second.job != first.job
    store.put_back("lose", OTHER)
    assert [job.state for job in store.jobs(2)] == ["queued", "leased"], "each loses its own"
    store.put_back("lose", ONE)
    assert store.claim(OTHER, "other").job == first.job, "one that is gone is not waited for"
    store.close()


def test_devices_are_read_and_others_refused():
    assert devices("cuda:0, cuda:1") == ("cuda:0", "cuda:1") and devices("CPU") == ("cpu",)
    for text in ("", "gpu", "cuda:", "cuda:-1", "cuda:1000", "cpu,", ",".join(["cpu"] * 65)):
        with pytest.raises(argparse.ArgumentTypeError, match="no device"):
            devices(text)


def test_a_worker_sees_its_own_device_alone():
    names = ("cuda:1", "cpu", "cpu")
    assert process_environment("", names, {"A": "1"}) == {"A": "1"}
    gpu = process_environment("cuda:1", names, {})
    assert (gpu["CUDA_VISIBLE_DEVICES"], gpu["HIP_VISIBLE_DEVICES"]) == ("1", "1")
    assert process_environment("cuda:1", names, {"CUDA_VISIBLE_DEVICES": "4,7"})["CUDA_VISIBLE_DEVICES"] == "7"
    assert process_environment("cuda:1", names, {"CUDA_VISIBLE_DEVICES": "4"})["CUDA_VISIBLE_DEVICES"] == ""
    cpu = process_environment("cpu", names, {})
    assert cpu["CUDA_VISIBLE_DEVICES"] == "" and int(cpu["OMP_NUM_THREADS"]) == max(1, (os.cpu_count() or 1) // 2)
    assert process_environment("cpu", names, {"OMP_NUM_THREADS": "5"})["OMP_NUM_THREADS"] == "5"


def test_a_gpu_that_is_not_there_is_said(tmp_path):
    """The real engine, on a machine without one; it must not paint on the CPU in silence."""
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    engine = "server.worker.engine:DiffusionEngine"
    with serving(tmp_path / "home", "--device", "cuda:3", engine=engine) as served:
        wait_until(lambda: "torch finds no GPU cuda:3" in served.json("GET", "/v1/health")[1]["trouble"], 100)
