# SPDX-License-Identifier: MIT
"""What a studio's Prometheus reads, in its text format; of the queue and this process, never of what was asked for.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ..queue.job_state import OVER

MEDIA_TYPE = "text/plain; version=0.0.4"


@dataclass(frozen=True)
class ServerFigures:
    """Numbers of one moment: jobs by state, listeners, whether the worker works, bytes of memory and of pictures."""

    jobs: Mapping[str, int]
    listeners: int
    trouble: bool
    memory: int
    memory_free: int
    picture_bytes: int


def exposition(figures: ServerFigures) -> str:
    """The figures as text."""
    return "".join(_lines(figures))


def _lines(figures: ServerFigures) -> Iterator[str]:
    states = dict.fromkeys(("queued", "leased", "running", *sorted(OVER)), 0) | dict(figures.jobs)
    labelled = {f'{{state="{state}"}}': number for state, number in states.items()}
    yield from _metric("jobs", "gauge", "Jobs in the queue, and remembered ones that are over, by state.", labelled)
    yield from _metric("listeners", "gauge", "Clients that listen to events.", {"": figures.listeners})
    yield from _metric("worker_trouble", "gauge", "1 while no worker can work.", {"": int(figures.trouble)})
    yield from _metric("memory_bytes", "gauge", "Memory of the device or the machine.", {"": figures.memory})
    yield from _metric("memory_free_bytes", "gauge", "What of it is free.", {"": figures.memory_free})
    yield from _metric("picture_bytes", "gauge", "Size of all pictures that are kept.", {"": figures.picture_bytes})


def _metric(name: str, kind: Literal["gauge"], text: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP maquette_{name} {text}\n# TYPE maquette_{name} {kind}\n"
    for label, value in values.items():
        yield f"maquette_{name}{label} {value}\n"
