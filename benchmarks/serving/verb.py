# SPDX-License-Identifier: MIT
"""How quick the server is beside a bare FastAPI route, with an engine that costs nothing; and what it stands."""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.serving.crashes import crash_rounds
from benchmarks.serving.fuzz import fuzzed
from benchmarks.serving.load import jobs_per_second, silent_ms, sse_ms, submit_ms
from benchmarks.serving.soak import growth, soak


def main(words: Sequence[str] | None = None) -> int:
    """`maquette bench server`."""
    args = parser().parse_args(words)
    with tempfile.TemporaryDirectory(prefix="maquette-bench-") as folder:
        figures = measured(Path(folder), args)
    if args.json:
        print(json.dumps(figures))
        return 0
    for name, value in figures.items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        for part, number in parts:
            print(f"{f'{name} {part}'.strip():>32}  {number}")
    return 0


def measured(folder: Path, args: argparse.Namespace) -> dict[str, object]:
    """Every figure."""
    submits = submit_ms(folder, args.turns)
    jobs = jobs_per_second(folder, args.jobs)
    heard, health = sse_ms(folder, args.listeners, args.seconds)
    crashes = crash_rounds(folder, args.rounds)
    requests = fuzzed(folder, args.fuzz)
    return {
        "submit_p95_ms": {name: round(value, 2) for name, value in submits.items()},
        "jobs_per_s": round(jobs, 1),
        "sse_p95_ms": round(heard, 1),
        "sse_health_p95_ms": round(health, 1),
        **crashes,
        **requests,
        "silent_connections_health_ms": round(silent_ms(folder, args.silent), 1),
        **soaked(folder, args.soak),
    }


def soaked(folder: Path, count: int) -> dict[str, object]:
    """`{"soak": {"jobs", ...}}`, by what fraction each figure grew; nothing of no jobs."""
    if not count:
        return {}
    return {"soak": {"jobs": count, **{name: round(value, 3) for name, value in growth(soak(folder, count)).items()}}}


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette bench server`."""
    flags = argparse.ArgumentParser(prog="maquette bench server", description=__doc__)
    flags.add_argument("--json", action="store_true", help="print one JSON line instead of a table")
    flags.add_argument("--turns", type=int, default=150, help="submits of each kind")
    flags.add_argument("--jobs", type=int, default=600, help="whole jobs")
    flags.add_argument("--listeners", type=int, default=200, help="clients that listen to events")
    flags.add_argument("--seconds", type=float, default=8.0, help="for which there are 20 events a second")
    flags.add_argument("--rounds", type=int, default=5, help="kills at random moments")
    flags.add_argument("--fuzz", type=int, default=1000, help="damaged requests")
    flags.add_argument("--soak", type=int, default=0, help="jobs during which nothing may grow")
    flags.add_argument("--silent", type=int, default=5000, help="connections that say nothing")
    return flags
