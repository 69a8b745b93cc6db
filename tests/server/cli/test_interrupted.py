# SPDX-License-Identifier: MIT
"""Commands that are interrupted, in every way and at every moment: nothing goes on running or stays locked, and
no file is half of one."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from addon.protocol import home_lock
from addon.protocol.strict_json import dump
from server.cli import files
from tests.server.processes import processes_of, runs, workers_of
from tests.server.serving import FAKE, ROOT, blockout, environment, wait_until

SCENE = ROOT / "examples" / "sea.blend"
POLITE = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
EVERY = [*POLITE, signal.SIGKILL]
NAMES = [number.name for number in EVERY]


@contextmanager
def command(folder, *words):
    """A verb as a process that leads a terminal's group; its temporary folder is ``folder`` / tmp."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    world = {**environment(folder / "home"), "TMPDIR": str(temporary)}
    with (folder / "log").open("ab") as log:
        words = [sys.executable, "-m", "server", *map(str, words)]
        process = subprocess.Popen(
            words, env=world, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def request_of(folder, **changes):
    path = folder / "cat.blockout.json"
    path.write_text(json.dumps(dump(blockout(**changes))))
    return path


def leftovers(folder):
    """Our temporary folders, and parts of files, that a command has left."""
    return [
        path for name in (f"{files.SCRATCH}*", "*.part") for path in folder.rglob(name) if path.parent.name != "home"
    ]


def ends(process, number, folder, seconds=15.0):
    """Interrupt it, and wait until nothing of it runs; its exit code."""
    began = time.monotonic()
    os.kill(process.pid, number)
    code = process.wait(seconds)
    wait_until(lambda: processes_of(folder / "home") == [], seconds)
    assert time.monotonic() - began < seconds
    return code


@pytest.mark.parametrize("number", EVERY, ids=NAMES)
def test_a_render_of_its_own_server(tmp_path, number):
    """While the worker starts."""
    with command(tmp_path, "render", request_of(tmp_path), "--out", tmp_path / "out") as process:
        wait_until(lambda: workers_of(process.pid) != [])
        code = ends(process, number, tmp_path)
    assert code == (-number if number == signal.SIGKILL else 130)
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert not (tmp_path / "out" / "picture.png").exists()
    if number != signal.SIGKILL:
        assert leftovers(tmp_path) == []


@pytest.mark.long
@pytest.mark.parametrize("number", EVERY, ids=NAMES)
@pytest.mark.parametrize("moment", [0.0, 0.3, 0.6, 1.0, 2.0, 4.0, 8.0, 12.0])
def test_a_render_at_any_moment(tmp_path, number, moment):
    """From before it can think, over loading the model, to painting."""
    with command(tmp_path, "render", request_of(tmp_path, steps=1000), "--out", tmp_path / "out") as process:
        time.sleep(moment)
        code = ends(process, number, tmp_path, 60.0)
    assert code in (130, -number)
    assert not (tmp_path / "out" / "picture.png").exists()
    if code == 130:
        assert leftovers(tmp_path) == []
    for path in (tmp_path / "out").glob("*.json"):
        json.loads(path.read_text())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_the_blender_of_a_command(tmp_path, served, number):
    """It captures; a killed parent cannot stop it, and it stops all the same."""
    pytest.importorskip("bpy", reason="bpy is not installed")
    connection = served.home / "connection.json"
    with command(tmp_path, "render", SCENE, "--exact", "--out", tmp_path / "out", "--server", connection) as process:
        wait_until(lambda: workers_of(process.pid) != [])
        (blender,) = workers_of(process.pid)
        time.sleep(1.0)
        ends(process, number, tmp_path)
        wait_until(lambda: not runs(blender), 5.0)
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("number", POLITE, ids=NAMES[:3])
def test_a_server_in_a_terminal(tmp_path, number):
    """Ctrl-C and a closed terminal reach the whole group; both are a clean end, and cost no job anything."""
    home = tmp_path / "home"
    with command(tmp_path, "serve", "--engine", FAKE) as process:
        wait_until((home / "connection.json").exists)
        os.killpg(process.pid, number)
        assert process.wait(15) == 0
        wait_until(lambda: processes_of(home) == [])
    assert home_lock.is_free(home) and not (home / "connection.json").exists()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_whoever_ignores_hang_ups_goes_on(tmp_path):
    """As nohup does."""
    home = tmp_path / "home"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with command(tmp_path, "serve", "--engine", FAKE) as process:
            wait_until((home / "connection.json").exists)
            os.kill(process.pid, signal.SIGHUP)
            time.sleep(0.5)
            assert process.poll() is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_killed_commands_left_goes_with_the_next(tmp_path, monkeypatch):
    """But not what is in use, what is of this minute, nor what is not ours: a home and results hold a lock too."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, alive, young, notes = (files.SCRATCH + name for name in ("dead", "alive", "young", "notes"))
    for name in (dead, alive, young, notes, "maquette-night", "other"):
        (tmp_path / name).mkdir()
        if name != notes:
            with home_lock.hold(tmp_path / name):
                pass
        if name != young:
            os.utime(tmp_path / name, (0, 0))
    with home_lock.hold(tmp_path / alive):
        os.utime(tmp_path / alive, (0, 0))
        with files.scratch() as folder:
            assert folder.parent == tmp_path and not home_lock.is_free(folder)
    names = sorted(
        path.name for path in tmp_path.iterdir() if path.is_dir() and path.name != Path("maquette-home").name
    )
    assert names == [alive, notes, young, "maquette-night", "other"]
