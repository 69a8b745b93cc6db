# SPDX-License-Identifier: MIT
"""A scenario run in a real Blender with a window: the zip is built, Blender started, the report read."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from addon.__main__ import main

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]
SECONDS = 900  # software OpenGL on a busy machine is slow


def run_scenario(
    blender: str, scenario: str, folder: Path, command: str, wheel: Path | None = None, online: bool = False
) -> dict:
    """What happened; FOLDER then holds the screenshots, and ``home`` the server's things.

    The add-on is packed for that ``wheel`` of the server, and Blender's user has allowed ``online`` access. A page that
    a browser is to open is noted in FOLDER/opened.
    """
    environment = {
        **os.environ,
        "BLENDER_USER_RESOURCES": str(folder / "user"),
        "MAQUETTE_HOME": str(folder / "home"),
        "BROWSER": f"{_browser(folder)} %s",
    }
    packing = ["--out", str(folder), *(("--server-wheel", str(wheel)) if wheel is not None else ())]
    words = [scenario, str(main(packing)), command, str(folder)]
    flags = ["--factory-startup", "--enable-event-simulate", "--python-exit-code", "1"]
    flags += ["--python", str(FOLDER / "driver" / "runner.py"), "--", *words]
    line = [blender, *(("--online-mode",) if online else ()), *flags]
    finished = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
    report = folder / f"{scenario}.json"
    assert report.exists(), finished.stdout[-3000:] + finished.stderr[-3000:]
    return {**json.loads(report.read_text()), "code": finished.returncode}


def _browser(folder: Path) -> Path:
    """A command that notes what it is to open."""
    command = folder / "browser"
    command.write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(folder / "opened"))}\n')
    command.chmod(0o700)
    return command


def flat_colour_server(astray: int = 0) -> str:
    """A server whose pictures are flat colours, painted slowly enough to be watched, and that far to the right."""
    serve = [sys.executable, "-m", "server", "serve", "--engine", "tests.addon.hosts.mask_painter:Painter"]
    return shlex.join(["env", f"PYTHONPATH={ROOT}", "PAINTER_STEP_SECONDS=0.15", f"PAINTER_ASTRAY={astray}", *serve])


def toybox_server() -> str:
    """The server as it ships, with the model that ships."""
    return shlex.join(["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "server", "serve"])
