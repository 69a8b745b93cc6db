# SPDX-License-Identifier: MIT
"""Which picture one of Live's follows, and what it takes of it."""

from dataclasses import replace

import pytest

from addon.protocol.blockout import AdapterFile, LoraFile
from addon.request.anchors import Anchor, anchored, layout_of, suitable
from tests.addon.session.samples import blockout

REQUEST = replace(blockout(), seed=5, variation=0.2, variation_seed=9)
ANCHOR = Anchor(picture="a" * 64, request=REQUEST, achieved=(), pose=(0.0,))
CASTLE = REQUEST.regions[0]


def test_what_is_followed_gives_noise_and_looks() -> None:
    request = anchored(replace(blockout(), seed=77), ANCHOR, moved=False)
    assert (request.seed, request.variation, request.variation_seed) == (5, 0.2, 9)
    assert [region.look for region in request.regions] == ["keep"]
    assert request.reference is not None
    assert (request.reference.picture, request.reference.keeps) == ("a" * 64, "picture")


def test_from_another_camera_it_is_looks_alone() -> None:
    request = anchored(blockout(), ANCHOR, moved=True)
    assert request.reference is not None and request.reference.keeps == "look"


@pytest.mark.parametrize(
    ("change", "look"),
    [({"description": "of sand"}, "repaint"), ({"colour": (1.0, 0.0, 0.0)}, "repaint"), ({"name": "keep"}, "free")],
)
def test_a_region_of_other_words_is_painted_anew_and_a_new_one_is_free(change: dict, look: str) -> None:
    now = replace(blockout(), regions=(replace(CASTLE, **change),))
    assert anchored(now, ANCHOR, moved=False).regions[0].look == look


@pytest.mark.parametrize("change", [{"prompt": "a castle at night"}, {"negative": "fog"}, {"model": "other"}])
def test_other_words_are_followed_by_nothing(change: dict) -> None:
    assert suitable([ANCHOR], replace(blockout(), **change)) is None


def test_the_first_that_suits_is_followed_whatever_its_size_steps_and_seed() -> None:
    other = replace(ANCHOR, picture="b" * 64, request=replace(REQUEST, prompt="a rocket"))
    assert suitable([other, ANCHOR], replace(blockout(), steps=50, seed=3, width=128)) is ANCHOR
    assert suitable([], blockout()) is None


def test_files_on_top_of_the_model_count_by_what_they_hold() -> None:
    pinned = replace(ANCHOR, request=replace(REQUEST, loras=(LoraFile(name="ink", sha256="c" * 64),)))
    assert suitable([pinned], replace(blockout(), loras=(LoraFile(name="ink"),))) is pinned
    assert suitable([pinned], replace(blockout(), loras=(LoraFile(name="ink", sha256="d" * 64),))) is None
    assert suitable([pinned], blockout()) is None
    assert suitable([ANCHOR], replace(blockout(), vae=AdapterFile(name="sharp"))) is None


def test_a_layout_is_the_same_whether_it_follows_or_not() -> None:
    plain = replace(blockout(), seed=5, variation=0.2, variation_seed=9)
    assert layout_of(anchored(plain, ANCHOR, moved=False)) == layout_of(plain) == plain
