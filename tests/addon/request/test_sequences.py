# SPDX-License-Identifier: MIT
"""What the frames of a sequence follow."""

from dataclasses import replace

from addon.protocol.answers import Achieved
from addon.request.sequences import SequenceLook
from tests.server.serving import block, blockout

CAT, DOG = block("cat", (0, 0, 20, 20)), block("dog", (40, 40, 60, 60))
FIRST = blockout(prompt="a cat and a dog", regions=(CAT,), seed=5)
MOVED = replace(FIRST, regions=(block("cat", (9, 0, 29, 20)),))
BOTH = replace(MOVED, regions=(*MOVED.regions, DOG))
ONE, TWO = "1" * 64, "2" * 64
SHOWN = (Achieved(name="cat", by="judge", mask=CAT.mask, centroid=(0.1, 0.1), size=0.1),)


def test_the_first_frame_follows_nothing_and_all_others_follow_it() -> None:
    look = SequenceLook()
    assert look.picture == "" and look.following(FIRST) is FIRST
    look = look.after(FIRST, ONE, SHOWN)
    second = look.following(MOVED)
    assert look.picture == ONE and second.reference is not None
    assert (second.reference.picture, second.reference.seed, second.reference.keeps) == (ONE, 5, "picture")
    assert [(region.name, region.outline) for region in second.reference.regions] == [("cat", CAT.mask)]
    assert [region.look for region in second.regions] == ["keep"]
    assert look.after(second, TWO).picture == ONE


def test_the_previous_frame_is_followed_where_that_is_asked_for() -> None:
    look = SequenceLook("previous", other_views=True).after(FIRST, ONE).after(MOVED, TWO)
    assert look.picture == TWO and look.key is not None and look.key.keeps == "look"


def test_what_comes_into_sight_is_painted_anew_and_then_kept() -> None:
    look = SequenceLook().after(FIRST, ONE)
    third = look.following(BOTH)
    assert [region.look for region in third.regions] == ["keep", "free"]
    look = look.after(third, TWO)
    assert look.picture == TWO and [region.look for region in look.following(BOTH).regions] == ["keep", "keep"]
