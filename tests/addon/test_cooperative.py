# SPDX-License-Identifier: MIT
"""Long computations in slices: how much of one a frame may hold."""

from itertools import repeat

import pytest

from addon.cooperative import MOST, finish, frame_share, one_slice


def counting(turns: int):
    """So many slices, then how many there were."""
    for _ in repeat(None, turns):
        yield
    return turns


@pytest.mark.parametrize(("frame", "seconds"), [(0.0, 0.004), (0.016, 0.004), (0.1, 0.01), (0.3, MOST), (30.0, MOST)])
def test_slow_frames_hold_more_work_but_never_much(frame: float, seconds: float) -> None:
    assert frame_share(frame) == pytest.approx(seconds)


def test_a_slice_ends_with_its_time_and_the_last_has_the_result() -> None:
    slices = counting(3)
    assert one_slice(slices, 0.0) is None, "no time, no work"
    assert one_slice(slices, 10.0) == 3
    assert finish(counting(2)) == 2
