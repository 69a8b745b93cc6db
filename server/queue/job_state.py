# SPDX-License-Identifier: MIT
"""The life of a job, as a pure state machine; nothing else decides what state a job is in.

    submit            claim               start
    ------> queued ----------> leased ------------> running ----> done
              ^                  |                     | |  \\---> failed
              |--- release ------|---------------------| |
              |--- lose ---------|---------------------| cancel (also from queued, leased)
              |--- restart ------|---------------------| \\------> cancelled

*front*: it waits on, before all others: nothing but its turn changes, and its sequence number says so.
*lose*: the server saw its worker end with the job in hand, which counts as an attempt; the second fails the job.
*restart*: a server found the job in hand when it started, or leaves it so; the eleventh time fails the job. It is
seldom the job's doing that a server goes, so that does not count as an attempt; but a job that takes the whole machine
with it must end some time.

A *fence* is the number of the claim. Whoever lost a job still holds the old number, and writes under it are refused.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from addon.protocol.answers import State

Verb = Literal["claim", "start", "finish", "fail", "cancel", "release", "lose", "restart", "front"]

ATTEMPTS = 2  # workers that may die of a job
RESTARTS = 10  # starts of the server that a job in hand outlives
OVER: frozenset[State] = frozenset({"done", "failed", "cancelled"})
ACTIVE: frozenset[State] = frozenset({"leased", "running"})

_NEXT: MappingProxyType[tuple[State, Verb], State] = MappingProxyType(
    {
        ("queued", "front"): "queued",
        ("queued", "claim"): "leased",
        ("queued", "cancel"): "cancelled",
        ("leased", "start"): "running",
        ("leased", "fail"): "failed",
        ("leased", "cancel"): "cancelled",
        ("leased", "release"): "queued",
        ("leased", "lose"): "queued",
        ("leased", "restart"): "queued",
        ("running", "finish"): "done",
        ("running", "fail"): "failed",
        ("running", "cancel"): "cancelled",
        ("running", "release"): "queued",
        ("running", "lose"): "queued",
        ("running", "restart"): "queued",
    }
)


class WrongTurn(RuntimeError):
    """A verb that the job's state does not allow."""

    def __init__(self, state: State, verb: Verb) -> None:
        super().__init__(f"a job that is {state} cannot {verb}")
        self.state, self.verb = state, verb


@dataclass(frozen=True)
class Ticket:
    """Where a job stands: its state, how often it changed, the number of its last claim; the workers that died with it
    in hand, and the starts of the server that it outlived."""

    state: State = "queued"
    sequence: int = 1
    fence: int = 0
    attempts: int = 0
    restarts: int = 0


def advance(ticket: Ticket, verb: Verb) -> Ticket:
    """The ticket after ``verb``. Raises WrongTurn where the picture above has no arrow; terminal states have none."""
    after = _NEXT.get((ticket.state, verb))
    if after is None:
        raise WrongTurn(ticket.state, verb)
    moved = replace(ticket, state=after, sequence=ticket.sequence + 1)
    match verb:
        case "claim":
            return replace(moved, fence=ticket.fence + 1)
        case "lose":
            lost = replace(moved, attempts=ticket.attempts + 1)
            return replace(lost, state="failed") if lost.attempts >= ATTEMPTS else lost
        case "restart":
            again = replace(moved, restarts=ticket.restarts + 1)
            return replace(again, state="failed") if again.restarts > RESTARTS else again
        case _:
            return moved
