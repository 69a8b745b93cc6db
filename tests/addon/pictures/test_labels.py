# SPDX-License-Identifier: MIT
"""What tells pictures apart: what differs between them, and no more."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.pictures.labels import PictureFacts, labels

NOON = 1.8e9 // 86400 * 86400 + 43_200.0
HOUSE = PictureFacts(
    prompt="a house",
    seed=3,
    variation=0.0,
    variation_seed=0,
    size=(171, 96),
    model="toybox",
    style="",
    on_top="",
    steps=30,
    refinement=0.0,
    strength=0.5,
    created=NOON,
)


def after_the_seed(*pictures: PictureFacts) -> list[str]:
    """What each says beside its seed."""
    return [label.partition(" · ")[2] for label in labels(pictures)]


def test_seeds_are_enough_where_they_differ() -> None:
    assert labels([HOUSE, replace(HOUSE, seed=4, created=NOON + 60)]) == ("3", "4")


def test_another_prompt_needs_nothing_else() -> None:
    assert after_the_seed(HOUSE, replace(HOUSE, refinement=0.5)) == ["0% refined", "50% refined"]
    assert labels([HOUSE, replace(HOUSE, prompt="a tree", steps=8)]) == ("3", "3")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": (96, 171)}, ["171 × 96", "96 × 171"]),
        ({"model": "other"}, ["toybox", "other"]),
        ({"on_top": "ink 0.80"}, ["no LoRA", "ink 0.80"]),
        ({"style": "Sunset"}, ["no style", "Sunset"]),
        ({"steps": 8}, ["30 steps", "8 steps"]),
        ({"strength": 0.75}, ["strength 0.50", "strength 0.75"]),
        ({"steps": 8, "strength": 0.75}, ["30 steps", "8 steps"]),
    ],
)
def test_one_that_differs_says_in_what(changes: dict, words: list[str]) -> None:
    assert after_the_seed(HOUSE, replace(HOUSE, **changes)) == words


def test_a_variation_is_no_picture_of_its_seed() -> None:
    varied = replace(HOUSE, variation=0.3, variation_seed=4)
    assert labels([HOUSE, varied, replace(varied, variation_seed=5)]) == ("3", "3 · 30% to 4", "3 · 30% to 5")


@pytest.mark.parametrize(
    ("later", "pattern"),
    [
        (0.0, r"\d\d:\d\d:\d\d, no\. [12]"),
        (7.0, r"\d\d:\d\d:0[07]"),
        (60.0, r"\d\d:\d\d"),
        (86_400.0, r"\d\d \w+"),
    ],
)
def test_time_tells_apart_what_nothing_else_does_as_exactly_as_is_needed(later: float, pattern: str) -> None:
    first, second = after_the_seed(HOUSE, replace(HOUSE, created=NOON + later))
    assert first != second
    assert re.fullmatch(pattern, first) and re.fullmatch(pattern, second)


def test_what_tells_some_apart_is_not_said_of_others() -> None:
    pictures = [HOUSE, replace(HOUSE, steps=8), replace(HOUSE, seed=9)]
    assert labels(pictures) == ("3 · 30 steps", "3 · 8 steps", "9")


FACTS = st.builds(
    replace,
    st.just(HOUSE),
    seed=st.integers(0, 2),
    steps=st.sampled_from([8, 30]),
    style=st.sampled_from(["", "Sunset"]),
    variation=st.sampled_from([0.0, 0.3]),
    created=st.sampled_from([NOON, NOON + 1, NOON + 3600, NOON + 86_400]),
)


@given(st.lists(FACTS, max_size=12))
def test_no_two_of_a_prompt_have_one_label(pictures: list[PictureFacts]) -> None:
    words = labels(pictures)
    assert len(set(words)) == len(words) == len(pictures)
