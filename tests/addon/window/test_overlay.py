# SPDX-License-Identifier: MIT
"""The overlay in a real window: it lies on the camera's frame, says how far the picture is off, and follows edits."""

import statistics

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario

ASTRAY = 16  # pixels
FOLLOWS = 0.3  # seconds from an edit at 100k triangles to the overlay drawn with it
SLICE = 0.05  # seconds that the main thread may be held


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    return run_scenario(blender, "overlay", tmp_path_factory.mktemp("window"), flat_colour_server(ASTRAY))


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_ends_well(report: dict) -> None:
    assert report["ok"], report["trace"]


def test_regions_are_listed(report: dict) -> None:
    assert sorted(report["listed"]) == ["castle", "ghost", "rocket"]


def test_the_outline_lies_on_the_cameras_frame(report: dict, record_property) -> None:
    """Zoom, offset, lens shift, portrait."""
    record_property("pixels", report["worst frame error"])
    assert report["worst frame error"] < 0.5


def test_the_scene_is_untouched(report: dict) -> None:
    assert report["untouched"]


def test_offsets_are_said_and_what_is_missing_is_missed(report: dict) -> None:
    """The frame has 341 x 192 pixels, and a diagonal of 391."""
    sentences = {text.partition(":")[0]: text.partition(": ")[2] for text in report["words"]}
    assert sentences["ghost"] == "not found in the picture"
    for phrase in ("castle", "rocket"):
        assert float(sentences[phrase].removesuffix("% off")) == pytest.approx(100 * ASTRAY / 391, abs=0.4)


def test_the_overlay_follows_an_edit(report: dict, record_property) -> None:
    """Blender draws the window twice on the way, once with the edit and once with the overlay: that is not ours."""
    drawing = 2 * report["redraw"]
    record_property("seconds", report["seconds"])
    record_property("of which Blender draws", drawing)
    assert statistics.median(report["seconds"]) < FOLLOWS + drawing


def test_an_edit_never_holds_the_main_thread(report: dict, record_property) -> None:
    record_property("longest slice", report["longest slice"]["step"])
    assert report["longest slice"]["step"] < SLICE


def test_nothing_is_left_behind(report: dict) -> None:
    assert report["left behind"] == []
