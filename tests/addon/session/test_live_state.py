# SPDX-License-Identifier: MIT
"""When Live asks for a picture, and which one it shows: every state, without a clock."""

from dataclasses import replace

import pytest

from addon.messages.notice import Notice
from addon.request.settings import DEFAULTS
from addon.session import live_state
from addon.session.live_state import LONGEST, SETTLE, LivePicture, LiveRequest, LiveState
from tests.addon.session.samples import VIEW, blockout, job

ON = LiveState(scene=7)
LAYOUT = blockout()
MOVED = replace(LAYOUT, seed=2)


def picture(name: str = "a", request=LAYOUT) -> LivePicture:
    """One that has come, of that name."""
    return LivePicture(
        sha256=name,
        png=b"",
        job=job(),
        request=LiveRequest(blockout=request, layout=request, view=VIEW, settings=DEFAULTS),
    )


def test_the_first_picture_is_due_at_once() -> None:
    assert live_state.due(live_state.started(LiveState(), 7, 5.0), 5.0, moving=False)


def test_a_block_that_rests_is_painted_once_it_has_settled() -> None:
    state = live_state.edited(ON, 5.0)
    assert not live_state.due(state, 5.0 + SETTLE / 2, moving=False)
    assert live_state.due(state, 5.0 + SETTLE, moving=False)
    assert not live_state.due(live_state.capture_begun(state), 9.0, moving=False)


def test_it_is_captured_until_it_is_known_what_to_ask_for_if_anything() -> None:
    state = live_state.capture_begun(live_state.edited(ON, 5.0))
    assert state.capturing
    assert not live_state.captured(state, LAYOUT, "").capturing
    assert live_state.capture_ended(state) == ON


def test_each_edit_puts_it_off_but_not_for_ever() -> None:
    state = ON
    for number in range(int(LONGEST / SETTLE * 2) + 1):
        state = live_state.edited(state, 5.0 + number * SETTLE / 2)
        now = 5.0 + number * SETTLE / 2
        assert live_state.due(state, now, moving=False) == (now - 5.0 >= LONGEST)


def test_while_it_moves_it_is_painted_whenever_nothing_else_is() -> None:
    state = live_state.edited(ON, 5.0)
    assert live_state.due(state, 5.0, moving=True)
    painting = live_state.edited(live_state.captured(state, LAYOUT, ""), 6.0)
    assert not live_state.due(painting, 9.0, moving=True)


def test_what_is_let_go_is_painted_whatever_is_under_way() -> None:
    painting = live_state.edited(live_state.captured(ON, LAYOUT, ""), 6.0)
    assert live_state.due(painting, 6.0 + SETTLE, moving=False)
    assert live_state.captured(painting, MOVED, "").number == painting.number + 1


def test_off_nothing_is_due_and_nothing_is_asked_for() -> None:
    assert live_state.edited(LiveState(), 5.0) == LiveState()
    assert not live_state.due(LiveState(), 9.0, moving=False)
    assert live_state.captured(LiveState(), LAYOUT, "") == LiveState()


def test_a_scene_that_asks_for_the_same_is_not_painted_again() -> None:
    """A click that selects is an edit too, as far as Blender says."""
    state = live_state.captured(ON, LAYOUT, "")
    assert live_state.captured(state, LAYOUT, "") == state
    state = live_state.arrived(state, state.number, picture("a"))
    assert live_state.captured(state, LAYOUT, "a") == state, "it would follow what is shown already"
    assert live_state.captured(state, LAYOUT, "another").painting
    assert live_state.captured(state, MOVED, "a").painting


def test_only_the_newest_picture_is_shown() -> None:
    first = live_state.captured(ON, LAYOUT, "")
    second = live_state.captured(first, MOVED, "")
    assert live_state.arrived(second, first.number, picture("a")) == second
    state = live_state.arrived(second, second.number, picture("b"))
    assert (state.picture.sha256, state.painting) == ("b", False)


def test_a_picture_that_follows_is_not_followed_itself() -> None:
    """Or each edit would add its own faults to those before."""
    state = live_state.captured(ON, LAYOUT, "")
    state = live_state.arrived(state, state.number, picture("a"))
    assert state.fresh.sha256 == "a"
    state = live_state.captured(state, MOVED, "a")
    following = replace(MOVED, reference=reference("a" * 64))
    state = live_state.arrived(state, state.number, picture("b", following))
    assert (state.picture.sha256, state.fresh.sha256) == ("b", "a")
    assert live_state.look_dropped(state).fresh is None


def reference(name: str):
    """A picture that another follows."""
    from addon.request.references import reference_of

    return reference_of(name, LAYOUT)


@pytest.mark.parametrize("change", [live_state.failed, live_state.cancelled])
def test_a_failure_counts_only_for_what_is_still_wanted(change) -> None:
    facts = (Notice(message="It broke."),) if change is live_state.failed else ()
    first = live_state.captured(ON, LAYOUT, "")
    second = live_state.captured(first, MOVED, "")
    assert change(second, first.number, *facts) == second
    state = change(second, second.number, *facts)
    assert not state.painting
    assert state.trouble == (facts[0] if facts else None)


def test_what_is_under_way_when_it_stops_is_shown_to_nobody() -> None:
    state = live_state.captured(ON, LAYOUT, "")
    off = live_state.stopped(state)
    assert live_state.arrived(off, state.number, picture("a")) == off
    again = live_state.started(off, 7, 5.0)
    assert live_state.arrived(again, state.number, picture("a")) == again
