# SPDX-License-Identifier: GPL-3.0-or-later
"""Which seed is asked for next. No bpy."""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from ..protocol.blockout import SEED_MAX, Blockout
from ..protocol.strict_json import dump
from .task import Task

Painted = Callable[[str], str]
"""From a Blockout as JSON to the name of the picture that the history has of it; "" where it has none."""


def nothing_painted(request: str) -> str:
    """That of who has no history."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Seeds:
    """Which seeds one press asks for: ``count``, from the blockout's own on, without those that are ``painted``.

    A ``fixed`` seed is meant as it is: where its picture is there, that one is offered instead of another. The
    first takes the place in the queue of the waiting job whose id is ``replaced``, if there is one.
    """

    count: int = 1
    fixed: bool = False
    painted: Painted = nothing_painted
    replaced: str = ""


ONE = Seeds()


def next_unpainted(blockout: Blockout, tasks: Iterable[Task], painted: Painted = nothing_painted) -> Blockout:
    """The blockout with the first seed, from its own on, that has no picture and waits for none: another is meant."""
    requested = {task.request for task in tasks if coming(task)}
    while is_known(blockout, requested, painted):
        blockout = successor(blockout)
    return blockout


def is_known(blockout: Blockout, requested: Collection[str], painted: Painted) -> bool:
    """Whether its picture is there or on its way."""
    request = json.dumps(dump(blockout))
    return request in requested or bool(painted(request))


def coming(task: Task) -> bool:
    """Whether its picture may still arrive; once received, the scene's history has it."""
    return not task.ended or (task.job.state == "done" and not task.received)


def successor(blockout: Blockout) -> Blockout:
    """The same with the next seed: of a variation, the seed that the noise is turned towards."""
    name = moving(blockout.variation)
    return replace(blockout, **{name: (getattr(blockout, name) + 1) % (SEED_MAX + 1)})


def moving(variation: float) -> Literal["seed", "variation_seed"]:
    """The name of the seed that moves on, where the noise is turned by so much."""
    return "variation_seed" if variation else "seed"
