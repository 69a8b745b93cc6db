# SPDX-License-Identifier: MIT
"""The chart of what obedience costs."""

import numpy as np
import pytest

from benchmarks.placement.pareto import COLOURS, SIZE, CostPoint, chart, front
from benchmarks.sheet import PAPER

CHEAP = CostPoint("words", "peer", 4, 0.2, 0.1)
GOOD = CostPoint("ours", "ours", 8, 0.4, 0.7)
WORSE_AND_DEARER = CostPoint("boxdiff", "peer", 30, 1.7, 0.4)
BEST = CostPoint("ours", "ours", 30, 1.3, 0.75)
EQUAL_COST = CostPoint("none", "control", 4, 0.2, 0.05)


def test_the_front_holds_what_nothing_betters_at_equal_or_lower_cost():
    points = [BEST, WORSE_AND_DEARER, EQUAL_COST, GOOD, CHEAP]
    assert front(points) == [CHEAP, GOOD, BEST]
    assert front([replaced := CostPoint("ours", "ours", 4, 0.2, 0.75), *points]) == [replaced]


def test_every_point_is_drawn_at_its_cost_and_overlap_and_names_cover_none():
    points = [CHEAP, GOOD, WORSE_AND_DEARER, BEST, CostPoint("none", "control", 30, 1.0, 0.1)]
    pixels = np.asarray(chart(points))
    assert pixels.shape == (SIZE[1], SIZE[0], 3) and tuple(pixels[5, -5]) == PAPER
    middles = {colour: np.argwhere((pixels == colour).all(-1)) for colour in COLOURS.values()}
    red = middles[COLOURS["ours"]]
    assert len(red) > 2 * 80  # two discs
    highest, lowest = red[:, 0].min(), red[:, 0].max()
    assert highest < lowest < middles[COLOURS["control"]][:, 0].min()  # more overlap stands higher
    assert all(len(middles[COLOURS[point.group]]) > 80 for point in points)


def test_one_point_is_a_chart_and_none_is_not():
    assert chart([GOOD]).size == SIZE
    with pytest.raises(ValueError, match="cost"):
        chart([])
