# SPDX-License-Identifier: MIT
"""While one waits, in a real window: previews are seen and leave nothing; an exact capture is shown, stopped, done."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario

RED = 40  # by how much red exceeds green and blue where the rocket's colour shows through the noise


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the scenario puts its screenshots."""
    return tmp_path_factory.mktemp("window")


@pytest.fixture(scope="module")
def report(blender: str, folder: Path) -> dict:
    """What happened in the window."""
    return run_scenario(blender, "previews_and_exact", folder, flat_colour_server())


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_ends_well(report: dict) -> None:
    assert report["ok"], report["trace"]


@pytest.mark.parametrize("area", ["editor", "panel"])
def test_a_preview_is_shown(report: dict, folder: Path, area: str, record_property) -> None:
    before, during = (reds(folder / f"{name}.png", report, area) for name in ("before", "developing"))
    record_property("pixels", (before, during))
    assert during > before + 500


def reds(screenshot: Path, report: dict, area: str) -> int:
    """Pixels of the rocket's colour that a screenshot has in that region of the window."""
    left, bottom, width, height = report["places"][area]
    with Image.open(screenshot) as picture:
        box = (left, report["height"] - bottom - height, left + width, report["height"] - bottom)
        pixels = np.asarray(picture.convert("RGB").crop(box), np.int16)
    return int((pixels[..., 0] - pixels[..., 1:].max(axis=2) > RED).sum())


def test_a_preview_leaves_nothing(report: dict) -> None:
    assert report["preview touched"] == []
    assert report["images by a picture"] == 1
    assert not report["texture kept"]


def test_an_exact_capture_says_that_it_is_being_made_and_touches_nothing(report: dict) -> None:
    assert report["capturing when shot"] == 1
    assert report["exact touched"] == []


def test_an_exact_capture_that_is_stopped_leaves_nothing(report: dict) -> None:
    assert report["after the stop"] == [0, 0, []]  # jobs, second Blenders, copies of the file


def test_the_picture_follows_the_render_and_the_panel_says_where_that_differs(report: dict) -> None:
    assert report["grown"]["castle"] == pytest.approx(1.0, abs=0.01)
    assert report["grown"]["rocket"] > 1.1
    assert "“rocket”" in report["said"] and "“castle”" not in report["said"]
    assert report["left by exact"] == [0, []]


def test_the_next_picture_is_seen_as_the_artist_looked_at_the_last(report: dict) -> None:
    """Its zoom, and the point in the editor's middle, which Blender rounds to a pixel or two of the screen."""
    (zoom, *middle), (zoom_now, *middle_now) = report["looked at"]
    assert zoom == pytest.approx(6.0) and zoom_now == pytest.approx(zoom)
    assert middle_now == pytest.approx(middle, abs=0.005)
    _, *middle_later = report["looked at after more"]
    assert middle_later == pytest.approx(middle_now, abs=0.002)  # a pixel of the screen, four pictures later


def test_several_have_seeds_one_after_the_other(report: dict) -> None:
    first = report["seeds"][0]
    assert report["seeds"] == [first, first + 1, first + 2, first + 3]


def test_an_editor_that_fills_the_window_leaves_room_for_none(report: dict) -> None:
    assert report["maximised"] == "no-editor"
    assert report["all editors again"]
