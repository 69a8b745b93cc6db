# SPDX-License-Identifier: MIT
"""Which pictures a run paints: sets of methods, steps and cases, from a quick look to everything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from benchmarks.placement.cases import KINDS, Case
from benchmarks.placement.methods import NONE, OURS, Method, best_peer, methods
from benchmarks.placement.work import Bench, BenchJob

STEPS = 30
FEW = (8, 4)
DEFAULT = FEW[0]
PEER_AT_OUR_COST = 10  # steps of the best peer, which has no gradient, that cost no more than DEFAULT of ours
OF_A_RUN = ("control", "ours", "peer")


@dataclass(frozen=True)
class PlanEntry:
    """One method with so many steps, on cases of these kinds."""

    method: Method
    steps: int = STEPS
    kinds: Sequence[str] = KINDS


@dataclass(frozen=True)
class Plan:
    """``each`` cases of every kind with every number of things, seeds 0 to ``seeds`` - 1, and what paints them."""

    each: int
    seeds: int
    entries: tuple[PlanEntry, ...]


def quick() -> Plan:
    """None, words, masks where there are any, the best peer, ours; the default's steps; four steps on blocks."""
    names = dict.fromkeys([NONE, "words", "masks", best_peer(), OURS])
    by_name = entries([name for name in names if name in methods()])
    return Plan(3, 2, (*by_name, *as_shipped(), *entries([NONE, OURS], FEW[-1], ("blocks",))))


def plain() -> Plan:
    """What the published figures come from: every control and peer, ours, ours with few steps and other strengths."""
    names = [name for name, method in methods().items() if method.group in OF_A_RUN or name in ("masks", "energies")]
    strengths = [name for name, method in methods().items() if method.group == "strength"]
    return Plan(
        6, 2, (*entries(names), *as_shipped(), *entries([NONE, OURS], FEW[-1]), *entries(strengths, kinds=("blocks",)))
    )


def full() -> Plan:
    """Everything there is, peers as published and all ablations included, and few steps for the most telling."""
    telling = [name for name, m in methods().items() if m.group in OF_A_RUN or name in ("masks", "energies")]
    few = [entry for steps in FEW for entry in entries(telling, steps)]
    return Plan(10, 4, (*entries(list(methods())), *few, *entries([best_peer()], PEER_AT_OUR_COST)))


PLANS = MappingProxyType({"quick": quick, "plain": plain, "full": full})


def entries(names: Sequence[str], steps: int = STEPS, kinds: Sequence[str] = KINDS) -> list[PlanEntry]:
    """Methods by name."""
    return [PlanEntry(methods()[name], steps, kinds) for name in names]


def as_shipped() -> Iterator[PlanEntry]:
    """The default steps, and the best peer in as many as cost the same."""
    yield from entries([NONE, OURS], DEFAULT)
    yield from entries([best_peer()], PEER_AT_OUR_COST)


def jobs(plan: Plan, cases: Sequence[Case], bench: Bench, pictures: Path | None = None) -> list[BenchJob]:
    """Every picture of a plan, a case at a time, so that an interrupted run has whole cases.

    The first seed of the first blocks is counted in floating-point operations; of every first case a picture is kept
    in the folder ``pictures``.
    """
    painted = []
    for case in cases:
        first = case.name.endswith("/0")
        for entry in plan.entries:
            for seed in range(plan.seeds if case.kind in entry.kinds else 0):
                job = BenchJob(
                    bench, entry.method, case, seed, entry.steps, first and case.kind == "blocks" and seed == 0
                )
                entries_of_plan = pictures / f"{job.key}.png" if pictures and first and seed == 0 else None
                painted.append(replace(job, file=entries_of_plan))
    return painted


def scaled(plan: Plan, each: int | None, seeds: int | None, names: Mapping[str, object] | None = None) -> Plan:
    """The plan with another number of cases or seeds, or with these methods only."""
    entries_of_plan = tuple(entry for entry in plan.entries if names is None or entry.method.name in names)
    return Plan(each or plan.each, seeds or plan.seeds, entries_of_plan)
