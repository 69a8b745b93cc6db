# SPDX-License-Identifier: MIT
"""Rounds of ``kill -9`` at random moments, of the worker, the server or both, while a client submits with keys.

No job may be lost or doubled; and none may fail, for no worker is killed twice on one job.
"""

import http.client
import os
import random
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serving.server_process import ServerProcess, at_work, body, until

PATIENCE = 120.0  # seconds for the last jobs to end


@dataclass
class CrashRecord:
    """What was asked for: the job of each key, as every answer named it."""

    jobs: dict[str, set[str]] = field(default_factory=dict)


def crash_rounds(folder: Path, rounds: int, seed: int = 0) -> dict[str, int]:
    """`{"kill_rounds", "jobs", "lost", "doubled", "innocent_failures"}`."""
    chance, stop, record = random.Random(seed), threading.Event(), CrashRecord()
    with at_work(folder / "crashes", max_kept=10**6) as server:
        client = threading.Thread(target=_submit, args=(server, record, stop))
        client.start()
        try:
            for _ in range(rounds):
                time.sleep(chance.uniform(0.0, 1.0))
                _kill_one(server, chance.choice(("worker", "worker", "server", "both")))
        finally:
            stop.set()
            client.join()
        until(server.idle, PATIENCE)
        return {"kill_rounds": rounds, **_outcome(server, record)}


def _kill_one(server: ServerProcess, target: str) -> None:
    """One kill, and what has to follow it: a server that is dead is started anew, a job is not hit twice."""
    workers = server.workers()
    if target != "server":
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
    if target != "worker":
        server.kill()
        server.start()
    waiting = _unfinished(server)
    until(lambda: not waiting & _unfinished(server), PATIENCE)


def _unfinished(server: ServerProcess) -> set[str]:
    """The jobs that are not over."""
    listed = server.request("GET", "/v1/jobs?limit=200")[1]
    return {job["id"] for job in listed if job["state"] in ("queued", "leased", "running")}


def _submit(server: ServerProcess, record: CrashRecord, stop: threading.Event) -> None:
    """Asks on and on; where an answer was lost, with the same key again."""
    number = 0
    while not stop.is_set():
        number += 1
        key, sent = f"key {number}", body(number, f"ms={(0, 5, 30)[number % 3]}", steps=5)
        record.jobs[key] = set()
        while not record.jobs[key]:
            with suppress(OSError, http.client.HTTPException, ValueError):
                status, answer = server.request("POST", "/v1/jobs", sent, Idempotency_Key=key)
                if status in (200, 201):
                    record.jobs[key].add(answer["id"])
            time.sleep(0.05)


def _outcome(server: ServerProcess, record: CrashRecord) -> dict[str, int]:
    """What became of the jobs. A key is asked for once more, and has to name the same job."""
    lost = failed = 0
    for number, (key, jobs) in enumerate(record.jobs.items(), 1):
        sent = body(number, f"ms={(0, 5, 30)[number % 3]}", steps=5)
        status, answer = server.request("POST", "/v1/jobs", sent, Idempotency_Key=key)
        if status in (200, 201):
            jobs.add(answer["id"])
        state = server.request("GET", f"/v1/jobs/{min(jobs)}")[1].get("state")
        failed += state == "failed"
        lost += state not in ("done", "failed")
    every = server.request("GET", "/v1/jobs?limit=200")[1]
    known = {job for jobs in record.jobs.values() for job in jobs}
    doubled = sum(len(jobs) > 1 for jobs in record.jobs.values()) + sum(job["id"] not in known for job in every)
    return {"jobs": len(record.jobs), "lost": lost, "doubled": doubled, "innocent_failures": failed}
