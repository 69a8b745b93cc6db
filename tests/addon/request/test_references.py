# SPDX-License-Identifier: MIT
"""What a request takes out of earlier pictures, and what it begins as."""

from dataclasses import replace

import pytest

from addon.protocol.answers import Achieved
from addon.request.references import Keeps, beginning, cutting_of, following, reference_of
from tests.server.serving import block, blockout

CAT, DOG = block("cat", (0, 0, 20, 20)), block("dog", (40, 40, 60, 60))
EARLIER = blockout(prompt="a cat in the snow", regions=(CAT,))
REQUEST = blockout(prompt="a cat and a dog", regions=(CAT, DOG))
ONE, TWO = "1" * 64, "2" * 64
SHOWN = (Achieved(name="cat", by="judge", mask=DOG.mask, centroid=(0.1, 0.1), size=0.1),)
PART = cutting_of("cat", ONE, EARLIER, CAT)


def test_a_region_is_taken_as_it_is_seen_and_else_as_it_was_asked_for() -> None:
    assert (PART.picture, PART.caption, PART.phrase, PART.outline) == (ONE, "a cat in the snow", "cat", CAT.mask)
    assert cutting_of("cat", ONE, EARLIER, CAT, SHOWN).outline == DOG.mask


def test_what_is_taken_keeps_no_look_of_the_picture_that_is_followed() -> None:
    followed = following(REQUEST, reference_of(TWO, REQUEST), keep=["cat", "dog"])
    request = beginning(followed, (PART,), 0.0, {})
    assert [region.look for region in request.regions] == ["repaint", "keep"]
    assert request.pictures == (TWO, ONE)
    assert [region.look for region in beginning(REQUEST, (PART,), 0.0, {}).regions] == ["free", "free"]


@pytest.mark.parametrize(("keeps", "part"), [("picture", 0.5), ("look", 0.5), ("layout", 0.0), ("attention", 0.0)])
def test_what_keeps_a_layout_alone_is_not_refined(keeps: Keeps, part: float) -> None:
    asked = replace(REQUEST, refinement=0.5)
    assert following(asked, reference_of("0" * 64, asked, keeps=keeps)).refinement == part


def test_what_is_out_of_sight_is_not_taken_and_has_no_colour() -> None:
    alone = blockout(prompt="a dog", regions=(DOG,))
    assert beginning(alone, (PART,), 0.5, {"cat": (1.0, 0.0, 0.0)}) == alone


def test_an_amount_of_zero_is_no_blocking() -> None:
    colours = {"dog": (1.0, 0.5, 0.0)}
    assert beginning(REQUEST, (), 0.0, colours) == REQUEST
    blocking = beginning(REQUEST, (), 0.25, colours).blocking
    assert blocking is not None and blocking.amount == 0.25
    assert [(flat.region, flat.colour) for flat in blocking.colours] == [("dog", (1.0, 0.5, 0.0))]
