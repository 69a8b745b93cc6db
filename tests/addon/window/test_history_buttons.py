# SPDX-License-Identifier: MIT
"""The history in a real window: each button one step to undo, and thumbnails that come and go with their file."""

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario

MEADOW, NIGHT = "a castle and a rocket on a meadow", "a castle and a rocket at night"
REQUEST = [NIGHT, 9, 4]  # what the panel says before each reuse, and after its undo


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    return run_scenario(blender, "history_buttons", tmp_path_factory.mktemp("window"), flat_colour_server())


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_ends_well(report: dict) -> None:
    assert report["ok"], report["trace"]


def test_thumbnails_are_no_data_blocks(report: dict) -> None:
    first, second = report["images"]
    assert set(second) - set(first) == {"Maquette.001"}


@pytest.mark.parametrize(
    ("part", "settings"), [("PROMPT", [MEADOW, 9, 4]), ("SEED", [NIGHT, 5, 4]), ("EVERYTHING", [MEADOW, 5, 3])]
)
def test_reuse_is_one_undo_step(report: dict, part: str, settings: list) -> None:
    assert report["reuse"][part] == [settings, REQUEST]


def test_showing_an_earlier_picture_is_one_undo_step(report: dict) -> None:
    assert report["show"] == [9, 5, 9]


def test_a_favourite_is_one_undo_step_and_is_kept_on_disk(report: dict) -> None:
    assert report["favourite"] == [[True, True], False, True]


def test_saving_copies_the_picture_and_changes_nothing(report: dict) -> None:
    assert report["saved"] and report["nothing else by saving"]


def test_deleting_is_for_good_on_disk_and_one_undo_step_in_the_file(report: dict) -> None:
    in_file, on_disk, after_undo = report["deleted"]
    assert (in_file, on_disk, after_undo) == (1, 0, 2)
    assert report["full picture"] == "picture-absent"
    assert len(report["on disk"]) == 1


def test_thumbnails_are_gone_with_the_file_and_back_when_it_is_opened(report: dict) -> None:
    assert report["new file"] == 0
    assert report["opened"] and report["newer shown"]
