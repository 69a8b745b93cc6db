# SPDX-License-Identifier: MIT
"""Batches as they are typed, in processes of their own, against a real server with the quick engine."""

import json
import subprocess
import sys
from pathlib import Path

from addon.protocol.strict_json import dump
from tests.server.serving import ROOT, Served, blockout, environment

MEADOW = ROOT / "examples" / "meadow.blend"


def start(home: Path, log: Path, *words: object) -> "subprocess.Popen[bytes]":
    """A verb as a process of its own; what it says goes to ``log``."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "server", *map(str, words)],
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def finish(home: Path, log: Path, *words: object) -> int:
    """The exit code of a verb that is let to end."""
    return start(home, log, *words).wait(100)


def requests(folder: Path, count: int, **changes: object) -> Path:
    """A folder as ``maquette capture`` leaves it, of one scene, with so many frames."""
    for frame in range(1, count + 1):
        path = folder / "cats" / "Camera" / "seed0007" / f"{frame:04d}.blockout.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dump(blockout(**{"prompt": f"a cat {frame}", **changes}))))
    return folder


def pictures(out: Path) -> dict[str, bytes]:
    """Every file of a batch that is not about the batch itself, by its path."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.parent != out
    }


def jobs(served: Served) -> list[dict[str, object]]:
    """All jobs that the server knows, as it lists them."""
    status, document = served.json("GET", "/v1/jobs?limit=200")
    assert status == 200
    return list(document)
