# SPDX-License-Identifier: MIT
"""Nothing outlives its server, and no cancelled step keeps the device: real processes, real pipes, a real queue."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from server.queue.store import Store
from server.settings import ServerSettings
from server.worker.pipe import ABANDONED, saying
from server.worker.supervisor import RESTART_SECONDS
from tests.server.processes import processes_of, workers_of
from tests.server.serving import blockout, environment, fake, serving, wait_until

DRAIN = 1.0
SLACK = 2.0  # seconds


@contextmanager
def worker(settings: ServerSettings):
    """A worker of ours, and not of a server: it is not ended with its parent, which is this test."""
    words = [sys.executable, "-m", "server.worker.process"]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(settings.home)
    )
    try:
        process.stdin.write(TypeAdapter(ServerSettings).dump_json(settings) + b"\n")
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
        process.stdin.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a call into C that keeps the lock comes first")
@pytest.mark.parametrize("step", ["hang", "seize", "ms=20000"])
def test_no_worker_outlives_a_killed_server(tmp_path: Path, step: str) -> None:
    home = tmp_path / "home"
    with serving(home, settings={"drain": DRAIN}) as served:
        job = served.submit(prompt=f"a cat {step}")
        wait_until(lambda: served.job(job)["state"] == "running" and served.job(job)["step"] >= (step != "ms=20000"))
        time.sleep(0.2)  # into the second step
        served.kill()
        wait_until(lambda: processes_of(home) == [], DRAIN + SLACK)


def test_without_the_kernel_s_help_a_thread_ends_the_worker(tmp_path: Path) -> None:
    """The parent lives, and only the pipe says that the server is gone."""
    settings = fake(tmp_path / "home", drain=DRAIN)
    settings.home.mkdir()
    store = Store(settings.database)
    job, _ = store.submit(blockout(prompt="a cat hang"), "key", 1)
    with worker(settings) as process:
        wait_until(lambda: store.job(job.id).step == 1)
        process.stdin.close()
        assert process.wait(DRAIN + SLACK) == ABANDONED
    store.close()


def test_an_idle_worker_leaves_at_once(tmp_path: Path) -> None:
    settings = fake(tmp_path / "home", drain=30.0)
    with worker(settings) as process:
        assert process.stdout.readline() == b"news\n"
        process.stdin.close()
        assert process.wait(SLACK) == 0


@pytest.mark.parametrize("step", ["hang", "seize"])
def test_a_cancelled_step_frees_the_device(tmp_path: Path, step: str) -> None:
    with serving(tmp_path / "home", settings={"grace": 1.0}) as served:
        job = served.submit(prompt=f"a cat {step}")
        wait_until(lambda: served.job(job)["step"] == 1)
        (before,) = workers_of(served.process.pid)
        following = served.submit(prompt="a cat")
        began = time.monotonic()
        served.json("POST", f"/v1/jobs/{job}/cancel", {})
        assert served.reaches(following)["state"] == "done"
        assert time.monotonic() - began < 1.0 + 2 * SLACK
        assert served.job(job)["state"] == "cancelled" and workers_of(served.process.pid) != [before]


def test_a_worker_that_lets_go_in_time_lives_on(tmp_path: Path) -> None:
    with serving(tmp_path / "home", settings={"grace": 0.5}) as served:
        job = served.submit(prompt="a cat ms=100", steps=1000)
        served.reaches(job, "running")
        (before,) = workers_of(served.process.pid)
        served.json("POST", f"/v1/jobs/{job}/cancel", {})
        following = served.submit(prompt="a cat ms=100", steps=12)
        assert served.reaches(following)["state"] == "done"
        assert workers_of(served.process.pid) == [before]


def test_poison_delays_nobody_by_a_longer_pause(tmp_path: Path) -> None:
    """Each death is the job's; how long a process takes to start is the machine's."""
    with serving(tmp_path / "home") as served:
        poison = [served.submit(prompt="a cat die", seed=seed) for seed in range(4)]
        good = served.submit(prompt="a cat")
        assert served.reaches(good)["state"] == "done"
        assert {served.job(job)["problem"]["type"] for job in poison} == {"worker-lost"}
        pauses = [line.split()[-2] for line in served.output.read_text().splitlines() if "a new one starts" in line]
    assert pauses == [f"{RESTART_SECONDS[0]}"] * 2 * len(poison)


def test_an_engine_that_is_none_is_named(tmp_path: Path) -> None:
    with serving(tmp_path / "home", engine="tests.server.fake_engine:Absent") as served:
        wait_until(lambda: "fake_engine:Absent cannot be loaded" in served.json("GET", "/v1/health")[1]["trouble"])


def test_who_computes_says_a_word_now_and_then_and_who_waits_says_none():
    heard = threading.Semaphore(0)
    with saying(heard.release, 0.05):
        end = time.monotonic() + 20
        while not heard.acquire(blocking=False):
            assert time.monotonic() < end
    heard = threading.Semaphore(0)
    with saying(heard.release, 0.5):
        assert not heard.acquire(timeout=2)
    assert not heard.acquire(timeout=1), "and nobody says anything afterwards"
