# SPDX-License-Identifier: MIT
"""What a ControlNet looks at: depth and edges of a blocking, drawn by hand and compared cell by cell."""

from dataclasses import replace

import numpy as np
import pytest

from addon.protocol.blockout import Blockout, ControlNet, Mask, pack_mask
from server.worker.control_pictures import control_picture
from tests.server.worker.sample_request import ASKED, CASTLE, ROCKET


def seen(kind: str, depth: Mask | None = None, blockout: Blockout = ASKED) -> np.ndarray:
    control = ControlNet(name="x", kind=kind, depth=depth)  # type: ignore[arg-type]
    return control_picture(replace(blockout, control=control))


def shades(rows: list[list[int]]) -> Mask:
    return pack_mask(len(rows[0]), len(rows), np.array(rows, np.uint8).tobytes())


@pytest.mark.parametrize("kind", ["depth", "edges"])
def test_it_is_as_large_as_the_picture(kind: str) -> None:
    picture = seen(kind, shades([[0] * 8] * 4))
    assert picture.shape == (64, 128) and picture.dtype == np.uint8 and picture.any() == (kind == "edges")


def test_depth_is_what_the_request_says() -> None:
    picture = seen("depth", shades([[255, 255, 128, 128, 0, 0, 0, 0]] * 4))
    assert [int(picture[32, column]) for column in (8, 40, 100)] == [255, 128, 0]
    assert (np.diff(picture[32].astype(int)) <= 0).all(), "it falls evenly from one to the next"


def test_without_it_regions_stand_behind_each_other_in_their_order() -> None:
    picture = seen("depth", blockout=replace(ASKED, regions=(replace(CASTLE, depth=1), replace(ROCKET, depth=0))))
    assert int(picture[32, 8]) == 128 and int(picture[32, 120]) == 255
    overlapping = replace(ROCKET, mask=pack_mask(8, 4, bytes([255] * 8) * 4), depth=1)
    assert (seen("depth", blockout=replace(ASKED, regions=(CASTLE, overlapping)))[:, :56] == 255).all()
    assert not seen("depth", blockout=replace(ASKED, regions=())).any()


def test_edges_are_outlines_of_regions() -> None:
    picture = seen("edges")
    assert set(np.unique(picture)) == {0, 255}
    assert list(np.flatnonzero(picture.any(axis=0))) == [63], "where one ends and the other begins, and nowhere else"
    alone = seen("edges", blockout=replace(ASKED, regions=(CASTLE,)))
    assert list(np.flatnonzero(alone.any(axis=0))) == [63]
    hidden = replace(ROCKET, mask=CASTLE.mask, depth=1)
    assert np.array_equal(seen("edges", blockout=replace(ASKED, regions=(CASTLE, hidden))), alone)


def test_edges_are_steps_of_depth_too_and_a_slope_is_none() -> None:
    nothing = replace(ASKED, regions=())
    step = seen("edges", shades([[200, 200, 200, 200, 120, 120, 120, 120]] * 4), nothing)
    assert list(np.flatnonzero(step.any(axis=0))) == [63] and step[:, 63].all()
    down = seen("edges", shades([[200] * 8, [200] * 8, [100] * 8, [100] * 8]), nothing)
    assert list(np.flatnonzero(down.any(axis=1))) == [31] and down[31].all()
    slope = [[255 - 30 * column for column in range(8)]] * 4
    assert not seen("edges", shades(slope), nothing).any()
    faint = seen("edges", shades([[1, 1, 1, 1, 0, 0, 0, 0]] * 4), nothing)
    assert list(np.flatnonzero(faint.any(axis=0))) == [63], "what is far is still something"


def test_grids_that_do_not_divide_a_picture_are_drawn_too() -> None:
    nothing = replace(ASKED, regions=(), width=144, height=80)
    picture = seen("edges", shades([[250] * 5 + [50] * 6] * 7), nothing)
    assert picture.shape == (80, 144) and list(np.flatnonzero(picture.any(axis=0))) == [64]
    assert seen("edges", shades([[9]]), nothing).shape == (80, 144)
