# SPDX-License-Identifier: MIT
"""A look that is kept, in a real window, with the model that ships."""

import pytest

from tests.addon.window.run_blender import SECONDS, run_scenario, toybox_server

SAME = 1.5 / 255  # of a channel: a file holds eight bits
OTHER = 0.003  # of a channel on average: something changed


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    folder = tmp_path_factory.mktemp("look")
    return run_scenario(blender, "kept_look", folder, toybox_server())


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_runs_to_its_end(report: dict) -> None:
    assert report["ok"], report["trace"]


@pytest.mark.parametrize("edit", ["moved", "repainted"])
def test_an_edit_changes_what_it_has_to_and_nothing_else(report: dict, edit: str) -> None:
    border, whole = report[edit]
    assert border <= SAME and whole > OTHER


def test_other_words_keep_the_layout(report: dict) -> None:
    assert report["restyled"] == "layout" and len(report["look"]) == 64


def test_a_region_is_taken_out_of_the_first_picture_over_the_colours_of_the_blocks(report: dict) -> None:
    picture, first = report["taken"]
    assert picture == first and report["blocking"] == pytest.approx(0.4)
