# SPDX-License-Identifier: MIT
"""``maquette bench batch``: processor time a picture beside painting, Blenders a scene, and rounds of kills."""

import argparse
import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from addon.client.api import Client, find_connection
from addon.client.exceptions import ServerAbsent
from server.cli.terminal import say

from .ray_speedup import ray_speedup

ROOT = Path(__file__).parents[2]
ENGINE = "benchmarks.batch.quick_engine:QuickEngine"
NIGHT = 12  # pictures between two looks at what was lost
MOMENTS = (0.3, 2.5)  # seconds after which a batch is killed


@dataclass(frozen=True)
class BatchFigures:
    """What is printed: ``lost`` pictures that are missing or others than an uninterrupted batch's, ``repeated`` jobs
    more than pictures, processor milliseconds of batch and Blender ``overhead_ms_per_picture``; how many times as quick
    two actors are as one, None without Ray."""

    kill_rounds: int
    lost: int
    repeated: int
    blenders_per_scene: int
    overhead_ms_per_picture: float
    ray_speedup_2: float | None


def main(argv: Sequence[str]) -> int:
    """``maquette bench batch``."""
    parser = argparse.ArgumentParser(prog="maquette bench batch", description="What a batch costs and loses.")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of lines")
    parser.add_argument("--kills", type=int, default=20, help="how often to kill a batch")
    parser.add_argument("--frames", type=int, default=48, help="of the scene whose cost is measured")
    parser.add_argument("--scene", type=Path, default=ROOT / "examples" / "meadow.blend", help="a .blend file")
    words = parser.parse_args(argv)
    with TemporaryDirectory() as folder, serving(Path(folder) / "home") as home:
        figures = measure(Path(folder), home, words.scene, words.frames, words.kills)
    if words.json:
        say(json.dumps(asdict(figures)))
    else:
        for name, value in asdict(figures).items():
            say(f"{name.replace('_', ' ')}: {value}")
    return 0


def measure(folder: Path, home: Path, scene: Path, frames: int, kills: int) -> BatchFigures:
    """All of it, in a folder of its own, against the server of ``home``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    batch = start(home, "batch", scene, "--frames", f"1-{frames}", "--out", folder / "cost")
    blenders = children_until_it_ends(batch)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert batch.returncode == 0, "the batch whose cost is measured failed"
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    luck, killed, lost, repeated, night = random.Random(0), 0, 0, 0, 0
    while killed < kills:
        night += 1
        seeds = range(1000 * night, 1000 * night + NIGHT)
        killed += kill_until_done(folder, home, seeds, luck, kills - killed)
        lost += lost_of(folder, home, seeds)
        repeated += asyncio.run(jobs_of(home, seeds)) - NIGHT
    overhead = round(1000 * seconds / frames, 1)
    return BatchFigures(killed, lost, repeated, len(blenders), overhead, ray_speedup(folder / "ray"))


def kill_until_done(folder: Path, home: Path, seeds: range, luck: random.Random, most: int) -> int:
    """Have a captured frame painted with these seeds, killing the batch at random moments; how often it was killed."""
    for killed in range(most):
        batch = start(home, *words_of(folder, seeds, "killed"))
        try:
            batch.wait(luck.uniform(*MOMENTS))
        except subprocess.TimeoutExpired:
            batch.kill()
            batch.wait()
        else:
            return killed
    start(home, *words_of(folder, seeds, "killed")).wait()
    return most


def words_of(folder: Path, seeds: range, name: str) -> list[object]:
    """The command line that paints one captured request with these seeds."""
    (request, *_) = sorted((folder / "cost").rglob("*.blockout.json"))
    return ["paint", request, "--seeds", f"{seeds[0]}-{seeds[-1]}", "--out", folder / f"{name}-{seeds[0]}"]


def lost_of(folder: Path, home: Path, seeds: range) -> int:
    """How many pictures of a killed batch are not as an uninterrupted one has them."""
    start(home, *words_of(folder, seeds, "whole")).wait()
    whole = {path.name: path.read_bytes() for path in (folder / f"whole-{seeds[0]}").glob("0*.png")}
    killed = {path.name: path.read_bytes() for path in (folder / f"killed-{seeds[0]}").glob("0*.png")}
    assert len(whole) == len(seeds), "the uninterrupted batch failed"
    return sum(killed.get(name) != content for name, content in whole.items())


async def jobs_of(home: Path, seeds: range) -> int:
    """How many jobs the server has had of these seeds."""
    client = Client(find_connection(home / "connection.json"))
    return sum(job.seed in seeds for job in await client.jobs())


def children_until_it_ends(process: "subprocess.Popen[bytes]") -> set[str]:
    """Every child process that it ever had, by its id (Linux)."""
    children: set[str] = set()
    while process.poll() is None:
        try:
            children |= set(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
        except FileNotFoundError:
            break
        time.sleep(0.02)
    process.wait()
    return children


def start(home: Path, *words: object) -> "subprocess.Popen[bytes]":
    """A verb as a process, silent."""
    environment = {**os.environ, "MAQUETTE_HOME": str(home)}
    line = [sys.executable, "-m", "server", *map(str, words)]
    return subprocess.Popen(
        line, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@contextmanager
def serving(home: Path) -> Iterator[Path]:
    """A server with the quick engine, for as long as needed; its home."""
    process = start(home, "serve", "--engine", ENGINE)
    try:
        while not _is_there(home):
            assert process.poll() is None, "the server did not start"
            time.sleep(0.05)
        yield home
    finally:
        process.terminate()
        process.wait()


def _is_there(home: Path) -> bool:
    try:
        find_connection(home / "connection.json")
    except ServerAbsent:
        return False
    return True
