# SPDX-License-Identifier: MIT
"""How the server is: what computes, what waits, and why nothing works where nothing does."""

from collections.abc import Mapping

from addon.protocol.answers import STARTING, Health, WorkerState
from addon.protocol.answers import VERSION as CONTRACT

from ..queue.store import Store
from ..settings import VERSION
from ..worker.memory import FACT, MemoryState, from_fact, of_machine
from ..worker.pool import WorkerPool
from ..worker.supervisor import Supervisor


def health_of(store: Store, pool: WorkerPool) -> Health:
    """Of one worker its own words; of several their devices and models together, and each by itself."""
    facts, (queued, running) = store.facts(), store.counts()
    workers = tuple(worker_state(supervisor, facts) for supervisor in pool.supervisors)
    memory = device_memory(facts)
    names = [worker.device for worker in workers]
    devices = [f"{names.count(name)} × {name}" * (names.count(name) > 1) or name for name in dict.fromkeys(names)]
    return Health(
        version=VERSION,
        contract=CONTRACT,
        device=", ".join(devices),
        model=", ".join(dict.fromkeys(worker.model for worker in workers if worker.model)),
        queued=queued,
        running=running,
        trouble=pool.trouble,
        memory=memory.total,
        memory_free=memory.free,
        workers=workers if len(workers) > 1 else (),
    )


def worker_state(supervisor: Supervisor, facts: Mapping[str, str]) -> WorkerState:
    """One worker, by what it said last."""
    slot = supervisor.slot
    memory = from_fact(facts.get(slot.fact(FACT), ""))
    return WorkerState(
        device=facts.get(slot.fact("device"), STARTING),
        model=facts.get(slot.fact("model"), ""),
        job=supervisor.in_hand,
        trouble=supervisor.trouble,
        memory=memory.total,
        memory_free=memory.free,
    )


def device_memory(facts: Mapping[str, str]) -> MemoryState:
    """The first device's, else the machine's."""
    return from_fact(facts.get(FACT, "")) or of_machine()
