# SPDX-License-Identifier: MIT
"""A server that is left running: thousands of jobs under the bounds of what is kept, and what grows meanwhile.

Jobs are asked for from a few clients at once, so that some always wait; after each tenth of them the server comes to
rest, and disk, rows, memory and descriptors of server and worker are counted. The first samples fill what is kept; from
then on nothing may grow.
"""

import os
import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.serving.server_process import ServerProcess, at_work, body, until

CLIENTS = 4
SAMPLES = 10
MAX_KEPT = 100
MAX_BYTES = 2**20
FIGURES = ("disk", "files", "rows", "memory", "descriptors")
REST_SECONDS = 30.0  # for what is forgotten once a second to be forgotten


@dataclass(frozen=True)
class SoakSample:
    """After so many ``jobs``: bytes of the home's files and their number, rows of the queue, MiB of memory and open
    descriptors of server and worker together."""

    jobs: int
    disk: int
    files: int
    rows: int
    memory: float
    descriptors: int


def soak(folder: Path, count: int) -> list[SoakSample]:
    """A sample after each tenth of ``count`` jobs. Raises RuntimeError for a job that did not end well. Linux."""
    samples = []
    with at_work(folder / "soak", max_kept=MAX_KEPT, max_bytes=MAX_BYTES, preview_seconds=0.0) as server:
        for part in range(SAMPLES):
            numbers = range(count * part // SAMPLES, count * (part + 1) // SAMPLES)
            with ThreadPoolExecutor(CLIENTS) as pool:
                list(pool.map(_submit, [server] * CLIENTS, [numbers[client::CLIENTS] for client in range(CLIENTS)]))
            until(server.idle, 600.0)
            until(lambda: _at_rest(server.home), REST_SECONDS)
            samples.append(_sample(server, numbers.stop))
    return samples


def growth(samples: Sequence[SoakSample]) -> dict[str, float]:
    """By name, how much larger each figure is in the last three samples than in three after the first, as a fraction.

    Of both the median, for the queue's log of writes comes and goes.
    """
    return {name: _median(samples[-3:], name) / _median(samples[1:4], name) - 1 for name in FIGURES}


def _median(samples: Sequence[SoakSample], name: str) -> float:
    return median(float(getattr(sample, name)) for sample in samples)


def _submit(server: ServerProcess, numbers: range) -> None:
    for number in numbers:
        status, _ = server.request("POST", "/v1/jobs", body(number, steps=2))
        if status != 201:
            raise RuntimeError(f"job {number} was answered with {status}")
        while number % 50 == 0 and _waiting(server) > MAX_KEPT:  # the queue is to be bounded too
            time.sleep(0.2)


def _waiting(server: ServerProcess) -> int:
    return int(server.request("GET", "/v1/health")[1]["queued"])


def _at_rest(home: Path) -> bool:
    """Whether no more jobs are kept than may be, and their pictures alone."""
    with closing(sqlite3.connect(f"file:{home / 'jobs.sqlite'}?mode=ro", uri=True)) as db:
        (jobs,) = db.execute("SELECT count(*) FROM job").fetchone()
        (pictures,) = db.execute("SELECT count(DISTINCT sha256) FROM artifact").fetchone()
    return bool(jobs <= MAX_KEPT and len(os.listdir(home / "shelf")) == pictures)


def _sample(server: ServerProcess, jobs: int) -> SoakSample:
    with closing(sqlite3.connect(f"file:{server.home / 'jobs.sqlite'}?mode=ro", uri=True)) as db:
        failed = db.execute("SELECT count(*) FROM job WHERE state != 'done'").fetchone()[0]
        tables = ("job", "event", "artifact", "submission", "fact")
        rows = sum(int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in tables)
    if failed:
        raise RuntimeError(f"{failed} jobs are not done")
    assert server.process is not None
    files = [path for path in server.home.rglob("*") if path.is_file()]
    processes = (server.process.pid, *server.workers())
    return SoakSample(
        jobs=jobs,
        disk=sum(path.stat().st_size for path in files),
        files=len(files),
        rows=rows,
        memory=sum(map(_resident, processes)),
        descriptors=sum(len(os.listdir(f"/proc/{process}/fd")) for process in processes),
    )


def _resident(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
