# SPDX-License-Identifier: MIT
"""The life of a job, as a pure state machine; nothing else decides what state a job is in.

    submit            claim               start
    ------> queued ----------> leased ------------> running ----> done
              ^                  |                     | |  \\---> failed
              |--- release ------|---------------------| |
              |--- lose ---------|---------------------| cancel (also from queued, leased)
                (the second loss fails the job)          \\------> cancelled

A *fence* is the number of the claim. Whoever lost a job still holds the old number, and writes under it are refused.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from addon.protocol.records import State

Verb = Literal["claim", "start", "finish", "fail", "cancel", "release", "lose"]

ATTEMPTS = 2
OVER: frozenset[State] = frozenset({"done", "failed", "cancelled"})
HELD: frozenset[State] = frozenset({"leased", "running"})

_NEXT: MappingProxyType[tuple[State, Verb], State] = MappingProxyType(
    {
        ("queued", "claim"): "leased",
        ("queued", "cancel"): "cancelled",
        ("leased", "start"): "running",
        ("leased", "fail"): "failed",
        ("leased", "cancel"): "cancelled",
        ("leased", "release"): "queued",
        ("leased", "lose"): "queued",
        ("running", "finish"): "done",
        ("running", "fail"): "failed",
        ("running", "cancel"): "cancelled",
        ("running", "release"): "queued",
        ("running", "lose"): "queued",
    }
)


class WrongTurn(RuntimeError):
    """A verb that the job's state does not allow."""

    def __init__(self, state: State, verb: Verb) -> None:
        super().__init__(f"a job that is {state} cannot {verb}")
        self.state, self.verb = state, verb


@dataclass(frozen=True)
class Ticket:
    """Where a job stands: its state, how often it changed, the number of its last claim, the attempts that count."""

    state: State = "queued"
    sequence: int = 1
    fence: int = 0
    attempts: int = 0


def advance(ticket: Ticket, verb: Verb) -> Ticket:
    """The ticket after ``verb``. Raises WrongTurn where the picture above has no arrow; terminal states have none."""
    after = _NEXT.get((ticket.state, verb))
    if after is None:
        raise WrongTurn(ticket.state, verb)
    moved = replace(ticket, state=after, sequence=ticket.sequence + 1)
    match verb:
        case "claim":
            return replace(moved, fence=ticket.fence + 1, attempts=ticket.attempts + 1)
        case "release":  # given back on purpose: it does not count
            return replace(moved, attempts=ticket.attempts - 1)
        case "lose" if ticket.attempts >= ATTEMPTS:
            return replace(moved, state="failed")
        case _:
            return moved
