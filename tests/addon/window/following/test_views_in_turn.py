# SPDX-License-Identifier: MIT
"""Three cameras painted in turn, each told what the others show, and baked in slices, in a real window."""

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario

SLICE = 0.05  # seconds: a few milliseconds' work, or one call of Blender's that reads the file of a picture


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    folder = tmp_path_factory.mktemp("window")
    return run_scenario(blender, "views_in_turn", folder, flat_colour_server())


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_ends_well(report: dict) -> None:
    assert report["ok"], report["trace"]


def test_each_camera_is_painted_and_told_what_the_others_show(report: dict) -> None:
    assert report["views"] == ["View 1", "View 2", "View 3"], report["notice"]
    assert report["seen from"] == ["Camera", "Camera 1", "Camera 2"]
    assert report["told"] == 2  # all but the first
    assert report["camera"] == report["camera meanwhile"] == "Camera"


def test_a_bake_that_is_stopped_leaves_nothing_and_one_that_ends_is_one_step(report: dict) -> None:
    assert report["stopped"] == [True, True]
    assert report["baked"] == ["castle Bake", "meadow Bake", "rocket Bake"], report["notice"]
    assert report["undone"] and report["redone"]


def test_a_bake_never_freezes_the_window(report: dict, record_property) -> None:
    record_property("longest", report["longest bake"])
    assert report["longest bake"]["slice"] < SLICE
