# SPDX-License-Identifier: MIT
"""All Cameras and Frame Range in a real window."""

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    return run_scenario(blender, "sequences", tmp_path_factory.mktemp("sequences"), flat_colour_server())


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_runs_to_its_end(report: dict) -> None:
    assert report["ok"], report["trace"]


def test_frames_wait_in_the_queue_a_few_at_a_time(report: dict) -> None:
    assert 1 <= len(report["queued as"]) <= 2


def test_every_frame_is_painted_and_the_scene_stays(report: dict) -> None:
    assert report["done"] == [4, "", []]
    assert report["files"] == [f"Camera/000{frame}.png" for frame in (1, 2, 3, 4)]
    assert report["different"] == 4
    assert report["frame"] == 2 and report["touched"] == []
    assert report["left in the history"] == 0


def test_it_plays_behind_the_camera_and_as_a_strip(report: dict) -> None:
    assert report["background"] == ["SEQUENCE", 4, 1]
    assert report["strips"] == [[4, 1]]


def test_one_that_is_stopped_leaves_nothing_behind(report: dict) -> None:
    assert report["stopped"] == ["Stopped", 0, []]


def test_all_cameras_are_painted_and_what_is_there_is_not_painted_again(report: dict) -> None:
    assert report["cameras"] == ["Camera", "Side"]
    assert report["jobs for them"] == 1
    assert report["behind both"] == [1, 1]
