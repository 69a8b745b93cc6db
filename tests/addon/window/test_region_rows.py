# SPDX-License-Identifier: MIT
"""The list of regions in a real window: its numbers, its reasons, what a region has of its own, and styles."""

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario

ASTRAY = 16  # pixels of a picture of 256 x 256


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    folder = tmp_path_factory.mktemp("regions")
    return run_scenario(blender, "region_rows", folder, flat_colour_server(ASTRAY))


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_runs_to_its_end(report: dict) -> None:
    assert report["ok"], report["trace"]


def test_every_red_row_has_its_reason(report: dict) -> None:
    unseen = {phrase: tuple(words) for phrase, words in report["unseen"].items()}
    assert unseen["lighthouse"] == ("behind", "castle")
    assert unseen["car"][0] == "outside" and unseen["apple"][0] == "small"
    assert {unseen[phrase][0] for phrase in ("castle", "rocket", "ghost", "tree")} == {""}


def test_what_the_view_only_nearly_shows_is_said(report: dict) -> None:
    assert report["approximate"] == ["hair"]


def test_what_lies_behind_glass_or_in_a_background_scene_is_said(report: dict) -> None:
    assert report["before"] == ["transparency before it"]
    assert report["in sets"] == ["fence"]


def test_the_numbers_are_the_last_picture_s(report: dict) -> None:
    castle, ghost = report["achieved"]["castle"], report["achieved"]["ghost"]
    assert castle[0] == pytest.approx(ASTRAY / (256 * 2**0.5), abs=0.005)
    assert 0.2 < castle[1] < 0.95
    assert ghost[:2] == [None, None]
    assert report["outdated"] == {"castle": True, "rocket": False, "ghost": False}
    assert report["same numbers"]


def test_numbers_are_outdated_by_what_is_asked_for(report: dict) -> None:
    everything = ["castle", "ghost", "rocket"]
    assert report["asked anew"] == {"before": [], "one": ["castle"], "all": everything, "after": []}


def test_a_rename_keeps_colour_and_outline(report: dict) -> None:
    assert report["colours kept"]
    assert report["outlines"] == 2  # of castle and rocket; there is no ghost


def test_what_a_region_has_of_its_own_is_asked_for(report: dict) -> None:
    asked = report["asked"]
    assert asked["enforce"] == ["centroid", "size"]
    assert (asked["strength"], asked["description"]) == (0.5, "with small windows")
    assert len(asked["colour"]) == 3


def test_a_region_goes_without_a_word_of_the_prompt(report: dict) -> None:
    assert (report["unsaid"], report["need not"]) == (["fort"], [])
    assert report["unnamed"] == {"castle": True, "rocket": False, "ghost": False}


def test_the_server_says_its_memory(report: dict) -> None:
    total, free = report["memory"]
    assert 0 < free <= total


def test_a_style_has_the_picture_that_it_was_given(report: dict) -> None:
    assert report["thumbnail"] == "\x89PNG"
    assert report["deleted"]
