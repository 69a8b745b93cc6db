# SPDX-License-Identifier: MIT
"""The panel in a real window: whatever is said or painted, no button moves."""

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario

STEP = 11  # pixels between two looks for a button: how exactly its place is known


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    return run_scenario(blender, "panel", tmp_path_factory.mktemp("panel"), flat_colour_server())


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_runs_to_its_end(report: dict) -> None:
    assert report["ok"], report["trace"]


def test_nothing_moves_under_the_pointer(report: dict, record_property) -> None:
    record_property("places", report["places"])
    first = report["places"]["first"]
    assert set(report["places"]) == {"first", "message", "painting", "done", "stopped"}
    for name, places in report["places"].items():
        assert places == pytest.approx(first, abs=STEP), name
    assert max(first) < 740


def test_no_word_is_cut_off(report: dict, record_property) -> None:
    """At the width that Blender gives its sidebar."""
    record_property("width", report["width"])
    assert set(report["cut"]) == set(report["places"])
    assert {state: words for state, words in report["cut"].items() if words} == {}


def test_a_message_stands_where_its_button_is(report: dict) -> None:
    assert report["messages"] == {"project": "", "add selected": "regions"}


def test_an_arrival_undone_and_redone_is_seen_again(report: dict) -> None:
    assert report["undone"]
    assert report["redone"]
