# SPDX-License-Identifier: MIT
"""The extension in a real window: $BLENDER is worked by drive.py, which also takes the screenshots in docs/."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from addon.__main__ import main

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SECONDS = 540  # software OpenGL on a busy machine is slow
PAUSE = 0.05  # seconds that the add-on may hold the main thread while a job runs
FIRST_PICTURE = 0.15  # the same while the picture is taken in: Blender's image loader starts with the first, 0.05 alone


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> dict:
    """What happened in the window; the screenshots go to $MAQUETTE_SHOTS, or away."""
    if "BLENDER" not in os.environ:
        pytest.skip("$BLENDER is not set: no real window")
    folder = tmp_path_factory.mktemp("window")
    shots = Path(os.environ.get("MAQUETTE_SHOTS", folder))
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder), "MAQUETTE_HOME": str(folder / "home")}
    python_path = f"PYTHONPATH={ROOT}:{HERE.parent / 'hosts'}"
    serve = [sys.executable, "-m", "server", "serve", "--engine", "painter:Painter"]
    command = shlex.join(["env", python_path, "PAINTER_STEP_SECONDS=0.15", *serve])
    words = [str(main(["--out", str(folder)])), command, str(shots)]
    drive = [os.environ["BLENDER"], "--factory-startup", "--python", str(HERE / "drive.py"), "--", *words]
    done = subprocess.run(drive, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (shots / "report.json").exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads((shots / "report.json").read_text())


@pytest.mark.timeout(SECONDS + 30)
def test_story_is_told_to_its_end(report: dict) -> None:
    assert report["ok"], report["trace"]
    assert report["states"] in (["done", "cancelled", "cancelled"], ["done", "done", "cancelled"])


def test_the_scene_is_untouched_until_the_picture_arrives(report: dict) -> None:
    assert report["untouched"]


def test_a_job_survives_undo_and_the_loss_of_its_object(report: dict) -> None:
    assert report["projected without the rocket"]


def test_removal_is_one_undo_step(report: dict) -> None:
    assert report["projected after undo"]


def test_nothing_is_lost_in_silence(report: dict) -> None:
    assert "no longer open" in report["after File > New"]
    assert "ended with code" in report["after the server died"]


def test_blender_is_never_held(report: dict) -> None:
    assert report["longest"]["tick"] < PAUSE
    assert report["longest"]["receive"] < FIRST_PICTURE
