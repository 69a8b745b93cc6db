# SPDX-License-Identifier: MIT
"""Two views stacked in a real window: EEVEE shows what Cycles does, and each button is one step to undo."""

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    return run_scenario(blender, "stacked_projections", tmp_path_factory.mktemp("window"), flat_colour_server())


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_ends_well(report: dict) -> None:
    assert report["ok"], report["trace"]
    assert report["views"] == ["View 1", "View 2"]


def test_eevee_shows_what_cycles_does(report: dict, record_property) -> None:
    record_property("psnr", report["psnr eevee to cycles"])
    assert min(report["psnr eevee to cycles"]) > 35


def test_a_view_is_looked_through_and_the_camera_stays(report: dict) -> None:
    framed = report["frame on screen"]
    assert framed["inside"] and max(framed["filled"]) == pytest.approx(1 / 1.05, abs=0.01)
    assert framed["degrees"] < 0.01
    assert report["camera stays"]


def test_removal_is_one_undo_step_and_leaves_nothing(report: dict) -> None:
    assert report["after removing"] == ["View 2"]
    assert report["after undo"] == ["View 1", "View 2"]
    assert report["left"] == []
