# SPDX-License-Identifier: MIT
"""What a studio's Prometheus reads; of the queue and this process, never of what was asked for.

prometheus-client writes it, and adds what it knows of the process: memory, CPU seconds, descriptors. It is imported at
the first question.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..queue.job_state import OVER
from ..worker.supervisor import Supervisor

if TYPE_CHECKING:
    from prometheus_client import Metric

MEDIA_TYPE = "text/plain; version=0.0.4"
STATES = ("queued", "leased", "running", *sorted(OVER))


@dataclass(frozen=True)
class ServerFigures:
    """Numbers of one moment: jobs by state, workers by what they do, listeners, whether no worker works, bytes of
    memory and of pictures."""

    jobs: Mapping[str, int]
    workers: Mapping[str, int]
    listeners: int
    trouble: bool
    memory: int
    memory_free: int
    picture_bytes: int


@dataclass(frozen=True, eq=False)  # a registry keeps it by its identity
class ServerCollector:
    """The figures as prometheus-client collects them."""

    figures: ServerFigures

    def collect(self) -> "Iterator[Metric]":
        """All of them; every state of a job, though none is in it."""
        figures = self.figures
        jobs = dict.fromkeys(STATES, 0) | dict(figures.jobs)
        yield _gauge("jobs", "Jobs in the queue, and remembered ones that are over, by state.", jobs)
        yield _gauge("workers", "Workers, by what they do.", figures.workers)
        yield _gauge("listeners", "Clients that listen to events.", figures.listeners)
        yield _gauge("worker_trouble", "1 while no worker can work.", int(figures.trouble))
        yield _gauge("memory_bytes", "Memory of the device or the machine.", figures.memory)
        yield _gauge("memory_free_bytes", "What of it is free.", figures.memory_free)
        yield _gauge("picture_bytes", "Size of all pictures that are kept.", figures.picture_bytes)


def exposition(figures: ServerFigures) -> bytes:
    """The figures as text, MEDIA_TYPE."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

    registry = CollectorRegistry()
    registry.register(ServerCollector(figures))
    ProcessCollector(namespace="maquette", registry=registry)
    text: bytes = generate_latest(registry)
    return text


def worker_states(workers: Iterable[Supervisor]) -> dict[str, int]:
    """How many supervisors' workers are in trouble, have a job in hand, or are free."""
    counted = dict.fromkeys(("busy", "free", "trouble"), 0)
    for worker in workers:
        counted["trouble" if worker.trouble else "busy" if worker.in_hand else "free"] += 1
    return counted


def _gauge(name: str, text: str, value: float | Mapping[str, int]) -> "Metric":
    from prometheus_client.core import GaugeMetricFamily

    if not isinstance(value, Mapping):
        return GaugeMetricFamily(f"maquette_{name}", text, value=value)
    family = GaugeMetricFamily(f"maquette_{name}", text, labels=["state"])
    for state, number in value.items():
        family.add_metric([state], number)
    return family
