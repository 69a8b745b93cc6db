# SPDX-License-Identifier: MIT
"""The regions' colours: their own, kept, and far apart for every eye."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.regions.palette import COLOURS, colours, distance

APART, BLIND = 0.16, 0.1  # in OKLab: about eight times what can just be told apart, and five times
SIMULATED = {  # linear RGB as seen without one kind of cones (Machado, Oliveira and Fernandes 2009, severity 1)
    "red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(channel):
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def shown(channel):
    channel = min(max(channel, 0.0), 1.0)
    return channel * 12.92 if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055


def seen_without(cones, colour):
    light = [linear(channel) for channel in colour]
    return tuple(shown(sum(m * c for m, c in zip(row, light, strict=True))) for row in SIMULATED[cones])


def test_the_distance_is_that_of_oklab():
    assert distance((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)) == pytest.approx(1.0, abs=1e-4)
    assert distance((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)) == pytest.approx(0.520, abs=0.005)


def test_any_two_colours_are_far_apart():
    assert len(COLOURS) == 12
    assert min(distance(one, other) for one, other in combinations(COLOURS, 2)) >= APART


@pytest.mark.parametrize("cones", SIMULATED)
def test_they_are_apart_without_a_kind_of_cones(cones):
    colours_seen = [seen_without(cones, colour) for colour in COLOURS]
    assert min(distance(one, other) for one, other in combinations(colours_seen, 2)) >= BLIND


@given(st.lists(st.integers(1), max_size=len(COLOURS), unique=True))
def test_twelve_regions_have_colours_of_their_own(uids):
    palette = colours({}, uids)
    assert len(set(palette.values())) == len(palette) == len(uids)


@given(st.dictionaries(st.integers(1, 40), st.integers(0, 11)), st.lists(st.integers(1, 40), max_size=12, unique=True))
def test_whatever_was_before_no_two_of_twelve_have_one_colour(earlier, uids):
    palette = colours(earlier, uids)
    assert len(set(palette.values())) == len(uids)


def test_a_region_keeps_its_colour_when_others_come_and_go():
    palette = colours({}, [1, 2, 3])
    assert colours(palette, [1, 2, 3, 4]).items() >= palette.items()
    assert colours(palette, [3, 4])[3] == palette[3]
    back = palette | colours(palette, [3, 4])
    assert len(set(colours(back, [1, 2, 3, 4]).values())) == 4  # an undo brings back what was gone


def test_the_second_region_is_as_unlike_the_first_as_can_be():
    first, second = colours({}, [1, 2]).values()
    assert distance(COLOURS[first], COLOURS[second]) > 0.5


def test_more_regions_than_colours_share_them_evenly():
    many = list(colours({}, range(40)).values())
    assert {many.count(index) for index in range(len(COLOURS))} == {3, 4}
