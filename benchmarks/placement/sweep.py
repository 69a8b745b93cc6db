# SPDX-License-Identifier: MIT
"""A small sweep of every peer's settings on the development cases, kept as data beside the peers.

Published settings belong to other networks, at four times the resolution; a comparison that stopped there would flatter
us. The test cases are never looked at here.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from benchmarks.placement.cases import Case
from benchmarks.placement.methods import PEERS, SWEPT, Method
from benchmarks.placement.rows import ResultRow
from benchmarks.placement.work import Bench, BenchJob

KINDS = ("blocks", "silhouettes")
FINE = ["down_blocks.0", "up_blocks.1"]

TRIED: Mapping[str, Sequence[Mapping[str, Any]]] = MappingProxyType(
    {
        "words": (),
        "best-of-k": ({"pictures": 2}, {"pictures": 8}),
        "layout-guidance": (
            {"scale": 10.0},
            {"scale": 100.0},
            {"layers": FINE},
            {"layers": FINE, "scale": 100.0},
            {"layers": FINE, "scale": 300.0},
            {"layers": FINE, "until": 0.4},
            {"layers": FINE, "scale": 100.0, "until": 0.4},
        ),
        "boxdiff": (
            {"scale": 60.0},
            {"sharpness": 20.0},
            {"sharpness": 20.0, "scale": 60.0},
            {"sharpness": 20.0, "until": 0.8},
        ),
        "attend-and-excite": ({"sharpness": 20.0}, {"sharpness": 20.0, "scale": 60.0}),
        "r-and-b": (
            {"scale": 200.0},
            {"layers": FINE},
            {"layers": FINE, "scale": 200.0},
        ),
        "dense-diffusion": ({"power": 1.0, "until": 0.7}, {"power": 1.0, "until": 0.7, "words": 3.0}),
        "layer-fusion": ({"until": 0.5}, {"apart": False}),
    }
)

SweepRun = Callable[[Sequence[BenchJob]], Mapping[str, ResultRow]]
"""The rows of jobs by key."""


def candidates(name: str) -> list[Method]:
    """A peer as published, and with every change that is tried."""
    paint, settings = PEERS[name]
    changes = ({}, *TRIED[name])
    return [Method(f"{name} {change}", "peer", paint, settings(**tuples(change))) for change in changes]


def tuples(change: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of blocks as settings hold them."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in change.items()}


def sweep(cases: Sequence[Case], seeds: int, steps: int, bench: Bench, run: SweepRun) -> dict[str, Any]:
    """Every candidate on every case: what was tried, how it did, and each peer's best, ready for JSON."""
    peers = {}
    for name in PEERS:
        tried: list[dict[str, Any]] = []
        for method in candidates(name):
            jobs = [BenchJob(bench, method, case, seed, steps) for case in cases for seed in range(seeds)]
            tried.append({"settings": asdict(method.settings), "iou": round(overlap(run(jobs).values()), 4)})
        best = max(tried, key=lambda entry: entry["iou"])
        peers[name] = {"best": best["settings"], "iou": best["iou"], "tried": tried}
    how = {"split": "development", "cases": [case.name for case in cases], "seeds": seeds, "steps": steps}
    return {"how": how | {"figure": "mean IoU of all targets, by the first Judge"}, "peers": peers}


def overlap(rows: Iterable[ResultRow]) -> float:
    """Mean IoU of all targets by the first Judge."""
    values: list[float] = [score["iou"] for row in rows for score in next(iter(row["scores"].values()))]
    return sum(values) / len(values)


def keep(record: Mapping[str, Any]) -> None:
    """Write a sweep beside the peers."""
    SWEPT.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
