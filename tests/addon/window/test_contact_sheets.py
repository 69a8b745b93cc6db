# SPDX-License-Identifier: MIT
"""Contact sheets and comparisons in a real window: worked by hand, undone, and nothing left in the file."""

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario

SLICE = 0.01  # seconds that the main thread may be held by what these pictures take
FIRST = 0.05  # and by the first of them


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    folder = tmp_path_factory.mktemp("window")
    return run_scenario(blender, "contact_sheets", folder, flat_colour_server())


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_runs_to_its_end(report: dict) -> None:
    assert report["ok"], report["trace"]


def test_the_sheet_fills_as_pictures_arrive(report: dict) -> None:
    assert report["while painted"] == [True] * 4
    assert report["labels"] == [f"Seed {seed}" for seed in report["seeds"]]
    assert len(report["images"]) == 1


def test_a_click_selects_and_enter_takes_in_one_undo_step(report: dict) -> None:
    assert report["selected"] == 1
    assert report["taken"] and report["taken, undone"] and report["taken, redone"]
    assert report["sheet after undo and redo"]
    assert report["images after taking"] == 1


def test_a_star_is_on_the_sheet_in_the_file_and_on_disk(report: dict) -> None:
    assert report["starred"] == [True, True]


def test_variations_come_onto_the_sheet(report: dict) -> None:
    assert len(report["varied"]) == 2
    assert all("40% to" in label for label in report["varied"])


def test_the_line_of_a_comparison_follows_the_pointer_at_every_zoom(report: dict) -> None:
    assert report["marked"] == [0, 2] and report["compared"]
    assert report["dragged"] == pytest.approx(0.2, abs=0.01)
    assert report["dragged, zoomed"] == pytest.approx(0.6, abs=0.01)
    assert report["back on the sheet"]


def test_nothing_is_left_of_either(report: dict) -> None:
    assert report["left"] and report["shown again"]
    assert report["images in the end"] == 1
    assert len(report["images in the file"]) == 1
    assert len(report["again"]) == 6 and report["after deleting one"] == 5
    assert report["shown instead"]
    assert report["after a new file"] == [None, None, 0]
    assert report["images in a new file"] == 0


def test_the_main_thread_is_never_held(report: dict, record_property) -> None:
    """By what the timer does for them; for the first picture Blender gets its readers ready. Drawing is recorded only:
    it takes half a millisecond of Python, and software OpenGL, where there is no other, paints within that call."""
    record_property("seconds", {name: max(each) for name, each in report["seconds"].items()})
    *others, first = sorted(report["seconds"]["renew"])
    assert max(others) < SLICE and first < FIRST
