# SPDX-License-Identifier: MIT
"""Batches that are interrupted or killed, at any moment, and go on: the same files, and no picture twice."""

import os
import random
import signal
import time

import pytest

from server.batch.manifest import read_rows
from tests.server.batch.batches import MEADOW, finish, jobs, pictures, requests, start
from tests.server.serving import serving, wait_until

FRAMES = 12
STEPS = {"prompt": "a cat, ms=20", "steps": 5}


def request_folder(tmp_path, tag):
    """Requests that no other test of this server has asked for: each frame of a seed of its own."""
    for frame in range(FRAMES):
        requests(tmp_path / "in", 1, **STEPS, seed=1000 * tag + frame)
        first = tmp_path / "in/cats/Camera/seed0007/0001.blockout.json"
        first.rename(first.with_name(f"{frame + 10:04d}.blockout.json"))
    return tmp_path / "in"


@pytest.fixture
def server(tmp_path):
    with serving(tmp_path / "home", settings={"max_queued": 4}) as served:
        yield served


def rounds(tmp_path, served, count, luck):
    """Kill and go on, over and over, then let it end; how often a batch had ended before it was killed."""
    folder, out, ended = request_folder(tmp_path, 1), tmp_path / "out", 0
    words = ("paint", folder, "--out", out)
    for _ in range(count):
        batch = start(served.home, tmp_path / "log", *words)
        time.sleep(luck.uniform(0.3, 3.5))
        ended += batch.poll() is not None
        batch.kill()
        batch.wait(10)
    assert finish(served.home, tmp_path / "log", *words) == 0, (tmp_path / "log").read_text()[-2000:]
    return ended


def check(tmp_path, served):
    """Every file as an uninterrupted batch writes it; every picture painted once."""
    assert len(jobs(served)) == FRAMES
    assert len(read_rows(tmp_path / "out")) == FRAMES
    assert finish(served.home, tmp_path / "log", "paint", tmp_path / "in", "--out", tmp_path / "whole") == 0
    killed, whole = pictures(tmp_path / "out"), pictures(tmp_path / "whole")
    parts = [name for name in killed if name.endswith(".part")]
    assert {name: killed[name] for name in killed if name not in parts} == whole
    assert len(jobs(served)) == FRAMES  # the second folder's are the first one's jobs, asked for by their keys


def test_killed_a_few_times(tmp_path, server):
    rounds(tmp_path, server, 4, random.Random(18))
    check(tmp_path, server)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_killed_a_hundred_times(tmp_path, server):
    assert rounds(tmp_path, server, 100, random.Random(100)) < 100
    check(tmp_path, server)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_interrupted(tmp_path, server, number):
    """It ends within two seconds, and what it asked for is cancelled; what another asked for is not."""
    other = server.submit(prompt="a cat of another, ms=200", steps=50)
    folder = request_folder(tmp_path, 2)
    batch = start(server.home, tmp_path / "log", "paint", folder, "--out", tmp_path / "out")
    wait_until(lambda: len(jobs(server)) == 4)
    began = time.monotonic()
    os.kill(batch.pid, number)
    assert batch.wait(10) == 130
    assert time.monotonic() - began < 2.0
    assert "Traceback" not in (tmp_path / "log").read_text()
    wait_until(lambda: {job["state"] for job in jobs(server) if job["id"] != other} == {"cancelled"})
    assert server.job(other)["state"] in ("leased", "running")
    server.request("POST", f"/v1/jobs/{other}/cancel", b"")
    assert finish(server.home, tmp_path / "log", "paint", folder, "--out", tmp_path / "out") == 0
    assert len(read_rows(tmp_path / "out")) == FRAMES


@pytest.mark.parametrize("verb", ["batch", "capture"])
def test_interrupted_while_a_blender_captures(tmp_path, server, verb):
    """The Blender goes with it."""
    blender, began = tmp_path / "blender", tmp_path / "began"
    blender.write_text(f"#!/bin/sh\necho $$ > {began}.part\nmv {began}.part {began}\nexec sleep 600\n")
    blender.chmod(0o755)
    words = (verb, MEADOW, "--blender", blender, "--out", tmp_path / "out")
    batch = start(server.home, tmp_path / "log", *words)
    wait_until(began.exists)
    os.kill(batch.pid, signal.SIGINT)
    asked = time.monotonic()
    assert batch.wait(10) == 130 and time.monotonic() - asked < 2.0
    assert (tmp_path / "log").read_bytes() == b""
    with pytest.raises(ProcessLookupError):
        os.kill(int(began.read_text()), 0)


def test_the_server_is_killed_in_the_middle(tmp_path):
    """And is there again, at another address: the same batch goes on."""
    home = tmp_path / "home"
    with serving(home) as first:
        folder = request_folder(tmp_path, 3)
        batch = start(home, tmp_path / "log", "paint", folder, "--out", tmp_path / "out")
        wait_until(lambda: len(read_rows(tmp_path / "out")) >= 2)
        first.kill(with_worker=True)
        with serving(home) as second:
            assert batch.wait(60) == 0, (tmp_path / "log").read_text()[-2000:]
            assert len(read_rows(tmp_path / "out")) == FRAMES
            assert len(jobs(second)) == FRAMES
