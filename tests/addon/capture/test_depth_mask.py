# SPDX-License-Identifier: MIT
"""How near everything is, for a ControlNet: cards at known depths, seen through known lenses."""

import numpy as np
import pytest

from addon.capture.snapshot import depth_mask
from addon.cooperative import finish
from addon.protocol.blockout import mask_rows
from addon.raster.lens import Lens
from addon.raster.triangles import soup
from addon.raster.zbuffer import NOTHING

FLAT = Lens(np.array([[0.5, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, -0.02, -1.002], [0, 0, 0, 1.0]]), 0.1, 100.0)


def card(left: float, right: float, depth: float, slope: float = 0.0) -> np.ndarray:
    """A rectangle over the whole height, its right edge ``slope`` farther than its left one, (2, 3, 3)."""
    a, b, c, d = ([x, y, -depth - slope * (x == right)] for x, y in ((left, -2), (right, -2), (right, 2), (left, 2)))
    return np.array([[a, b, c], [a, c, d]], dtype=float)


def depth(*cards: np.ndarray, owners: tuple[int, ...] = (0, 1, NOTHING), size: tuple[int, int] = (16, 8)) -> np.ndarray:
    triangles = soup(np.concatenate(cards), np.repeat(owners[: len(cards)], 2))
    return np.asarray(mask_rows(finish(depth_mask(triangles, FLAT, *size))))


def test_the_nearest_is_white_the_farthest_dark_and_nothing_black() -> None:
    row = depth(card(-2, -1, 2.0), card(-1, 0, 4.0), card(0, 1, 8.0))[4]
    assert list(row[[2, 6, 10, 14]]) == [255, 1 + round(254 * (1 / 4 - 1 / 8) / (1 / 2 - 1 / 8)), 1, 0]


def test_what_is_no_region_is_seen_too_and_hides_what_is_behind_it() -> None:
    row = depth(card(-2, 2, 8.0), card(-2, 0, 4.0), card(-2, -1, 2.0))[4]
    assert row[2] == 255 and row[14] == 1 and row[2] > row[6] > row[14]


def test_it_falls_evenly_over_a_slope() -> None:
    row = depth(card(-2, 2, 2.0, slope=6.0))[4].astype(int)
    assert (np.diff(row) < 0).all() and row[0] == 255 and row[-1] == 1


@pytest.mark.parametrize("cards", [[card(-2, 2, 5.0)], [card(30, 40, 5.0)]])
def test_one_depth_is_all_white_and_no_depth_all_black(cards: list[np.ndarray]) -> None:
    picture = depth(*cards)
    assert picture.shape == (8, 16) and set(np.unique(picture)) == ({255} if cards[0][0, 0, 0] < 0 else {0})
