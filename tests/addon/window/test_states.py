# SPDX-License-Identifier: MIT
"""The panel from nothing installed to a queue of four, in a window, at two scales: Generate stays where it is."""

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario

STEP = 11  # pixels between two looks for a button: how exactly its place is known
STATES = {"absent", "not-installed", "starting", "ready", "painting", "queue", "done", "failed", "died", "offline"}


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    return run_scenario(blender, "states", tmp_path_factory.mktemp("states"), flat_colour_server())


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_runs_to_its_end(report: dict) -> None:
    assert report["ok"], report["trace"]


def test_generate_stays_where_it_is(report: dict, record_property) -> None:
    record_property("generate", report["generate"])
    for scale, places in report["generate"].items():
        assert set(places) == STATES, scale
        assert max(places.values()) - min(places.values()) <= STEP, (scale, places)
        assert max(places.values()) < 740


def test_each_state_says_what_it_is(report: dict) -> None:
    words = report["messages"]
    assert words["not-installed"].endswith("cannot be run: No such file or directory.")
    assert words["failed"].startswith("Failed: seed ") and words["failed"].endswith(".")
    assert words["died"] == "The server was killed by signal 9."
    assert words["offline"].startswith("Blender's online access is off")
    assert not any("Errno" in sentence for sentence in words.values())


def test_generate_is_found_without_the_panel(report: dict) -> None:
    """In the headers of both editors, by F3 in their menus, and by a key of each that the artist may change."""
    assert report["headers"] == [True] * 4
    assert report["keys an artist can change"] == 2
    assert report["a shortcut generates"]
