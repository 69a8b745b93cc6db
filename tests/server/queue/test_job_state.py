# SPDX-License-Identifier: MIT
"""The life of a job."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from server.queue.job_state import ATTEMPTS, OVER, RESTARTS, Ticket, WrongTurn, advance

VERBS = st.sampled_from(["claim", "start", "finish", "fail", "cancel", "release", "lose", "restart", "front"])


@pytest.mark.parametrize(
    ("verbs", "state"),
    [
        (["claim", "start", "finish"], "done"),
        (["claim", "start", "fail"], "failed"),
        (["claim", "fail"], "failed"),
        (["cancel"], "cancelled"),
        (["front"], "queued"),
        (["front", "front", "claim", "release", "front", "cancel"], "cancelled"),
        (["claim", "cancel"], "cancelled"),
        (["claim", "start", "cancel"], "cancelled"),
        (["claim", "lose"], "queued"),
        (["claim", "start", "lose", "claim", "start", "finish"], "done"),
        (["claim", "start", "lose", "claim", "lose"], "failed"),
        (["claim", "release"] * 5 + ["claim", "start", "finish"], "done"),
        (["claim", "start", "restart"] * RESTARTS + ["claim", "lose", "claim", "start", "finish"], "done"),
        (["claim", "restart"] * RESTARTS + ["claim", "start", "restart"], "failed"),
    ],
)
def test_lives(verbs, state):
    ticket = Ticket()
    for verb in verbs:
        ticket = advance(ticket, verb)
    assert ticket.state == state


@pytest.mark.parametrize(
    "verbs", [["start"], ["finish"], ["claim", "front"], ["claim", "finish"], ["claim", "claim"], ["cancel", "claim"]]
)
def test_wrong_turns(verbs):
    ticket = Ticket()
    for verb in verbs[:-1]:
        ticket = advance(ticket, verb)
    with pytest.raises(WrongTurn, match=verbs[-1]):
        advance(ticket, verbs[-1])


@given(st.sampled_from(sorted(OVER)), VERBS)
def test_the_end_is_final(state, verb):
    with pytest.raises(WrongTurn):
        advance(Ticket(state=state), verb)


class Life(RuleBasedStateMachine):
    """Any order of verbs: what no order may break."""

    def __init__(self):
        super().__init__()
        self.ticket, self.before = Ticket(), Ticket(sequence=0)

    @rule(verb=VERBS)
    def turn(self, verb):
        try:
            after = advance(self.ticket, verb)
        except WrongTurn:
            return
        self.before, self.ticket = self.ticket, after

    @invariant()
    def each_change_has_its_number(self):
        assert self.ticket.sequence == self.before.sequence + 1

    @invariant()
    def a_fence_is_never_used_twice(self):
        assert self.ticket.fence - self.before.fence == (
            self.ticket.state == "leased" and self.before.state == "queued"
        )

    @invariant()
    def nobody_tries_for_ever(self):
        assert 0 <= self.ticket.attempts <= ATTEMPTS
        assert self.ticket.state in OVER or self.ticket.attempts < ATTEMPTS
        assert self.ticket.state in OVER or self.ticket.restarts <= RESTARTS


TestLife = Life.TestCase
