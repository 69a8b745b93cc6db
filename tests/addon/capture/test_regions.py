# SPDX-License-Identifier: MIT
"""From triangles to regions: sizes, frames, phrases, and the errors an artist reads."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.camera.view import View
from addon.capture.canvas import canvas, mask_size, overscan, scaled
from addon.capture.regions import regions
from addon.messages.errors import (
    FrameTooLong,
    NothingMarked,
    PhraseMissing,
    RegionBare,
    RegionBehind,
    RegionClipped,
    RegionHidden,
    RegionOutside,
    RegionTooSmall,
)
from addon.protocol.blockout import unpack_mask
from addon.protocol.default_model import TOYBOX
from addon.raster.lens import Lens
from addon.raster.triangles import soup
from addon.raster.zbuffer import NOTHING
from addon.request.phrases import (
    Mark,
    apart,
    default_phrase,
    listed,
    named_in,
    names_any,
    split_phrase,
    strange,
)

FLAT = np.array([[0.5, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, -0.02, -1.002], [0, 0, 0, 1.0]])


def view(aspect=1.0):
    """An orthographic view of x in [-2, 2], y in [-2, 2], whatever the aspect."""
    return View(np.eye(4), Lens(FLAT, 0.1, 100.0), aspect)


def card(left, right, bottom, top, depth):
    """A rectangle facing the camera, (2, 3, 3)."""
    a, b, c, d = ([x, y, -depth] for x, y in ((left, bottom), (right, bottom), (right, top), (left, top)))
    return np.array([[a, b, c], [a, c, d]], dtype=float)


def capture(cards, aspect=1.0, model=TOYBOX, hidden=""):
    """Regions of (mark index, card) pairs."""
    triangles = np.concatenate([corners for _, corners in cards])
    owners = np.repeat([owner for owner, _ in cards], 2)
    marks = [Mark(f"thing {i}", f"thing {i}", hidden=hidden) for i in range(max(0, *(o for o, _ in cards)) + 1)]
    return regions(marks, soup(triangles, owners), view(aspect), canvas(aspect, model))


def test_a_card_in_a_corner_is_measured_exactly():
    (region,) = capture([(0, card(-2, 0, 0, 2, 5))])
    assert region.size == pytest.approx(0.25, abs=1e-3)
    assert region.centroid == pytest.approx((0.25, 0.25), abs=1e-3)
    assert (region.visible, region.depth) == (1.0, 0)
    mask = np.frombuffer(unpack_mask(region.mask), np.uint8).reshape(region.mask.height, region.mask.width)
    assert mask[:128, :128].min() == 255 and mask[128:].max() == 0 and mask[:, 128:].max() == 0


@given(st.floats(0.3, 3.0), st.floats(-1.5, 1.0), st.floats(-1.5, 1.0))
def test_centroid_and_size_are_those_of_the_frame_at_any_aspect(aspect, left, bottom):
    (region,) = capture([(0, card(left, left + 0.9, bottom, bottom + 0.8, 5))], aspect)
    assert region.centroid == pytest.approx(((left + 0.45 + 2) / 4, (2 - bottom - 0.4) / 4), abs=3e-3)
    assert region.size == pytest.approx(0.9 * 0.8 / 16, abs=2e-3)


def test_what_hides_a_region_is_not_part_of_it():
    behind, before = capture([(0, card(-1, 1, -1, 1, 9)), (1, card(0, 1.5, -1, 1, 5))])
    assert behind.visible == pytest.approx(0.5, abs=0.01)
    assert behind.centroid[0] == pytest.approx(0.375, abs=0.01)
    assert before.visible == 1.0
    assert (behind.depth, before.depth) == (1, 0)


def test_what_leaves_the_frame_counts_as_neither_visible_nor_whole():
    (region,) = capture([(0, card(1, 3, -1, 1, 5))])
    assert (region.visible, region.size) == (1.0, pytest.approx(0.125, abs=1e-3))


def test_the_overscan_is_in_the_mask_but_not_in_the_size():
    (region,) = capture([(0, card(-9, 9, -9, 9, 5))], aspect=16 / 9)
    assert (region.size, region.centroid) == (1.0, pytest.approx((0.5, 0.5)))
    assert set(unpack_mask(region.mask)) == {255}


@pytest.mark.parametrize(
    ("cards", "error", "says"),
    [
        ([(0, card(3, 4, 0, 1, 5))], RegionOutside, "outside the camera's frame"),
        ([(0, card(0, 1, 0, 1, 5000))], RegionClipped, "farther than the camera sees: its Clip End"),
        ([(0, card(-9, 9, -9, 9, 5000))], RegionClipped, "farther than the camera sees: its Clip End"),
        ([(0, card(-9, 9, -9, 9, 0.01))], RegionClipped, "nearer than the camera sees: its Clip Start"),
        ([(0, card(-9, 9, -9, 9, -5))], RegionOutside, "outside the camera's frame"),
        ([(0, card(0, 0.001, 0, 0.001, 0.01))], RegionClipped, "nearer than the camera sees: its Clip Start"),
        ([(0, card(-1, 1, -1, 1, 9)), (NOTHING, card(-2, 2, -2, 2, 5))], RegionBehind, "hidden behind other things"),
        ([(NOTHING, card(-2, 2, -2, 2, 5))], RegionBare, "The view has no surface of thing 0"),
        ([(0, card(-0.1, 0.1, -0.1, 0.1, 5))], RegionTooSmall, r"Only 0\.\d% of the frame shows thing 0"),
    ],
)
def test_a_region_that_cannot_be_drawn_says_so(cards, error, says):
    with pytest.raises(error, match=says) as caught:
        capture(cards)
    assert caught.value.fix.endswith("leave it out of the picture.")
    assert caught.value.subject == "thing 0"


@pytest.mark.parametrize("where", ["in the view", "from renders"])
def test_what_hides_a_region_is_named(where):
    with pytest.raises(RegionHidden, match=f"^thing 0 is hidden {where}. Show it, or leave it out of the picture.$"):
        capture([(NOTHING, card(-2, 2, -2, 2, 5))], hidden=where)


@given(st.floats(0.1, 10.0), st.sampled_from([8, 16, 32, 64]), st.sampled_from([128**2, 512**2, 1024**2]))
def test_the_picture_has_the_native_area_and_whole_multiples(aspect, multiple, area):
    size = canvas(aspect, replace(TOYBOX, multiple=multiple, area=area))
    frame = size.frame
    assert size.width % multiple == size.height % multiple == 0
    assert 0 <= size.width - frame.width < multiple and 0 <= size.height - frame.height < multiple
    assert abs(frame.left * 2 + frame.width - size.width) <= 1 and abs(frame.top * 2 + frame.height - size.height) <= 1
    assert abs(frame.width - np.sqrt(area * aspect)) <= 0.5 and abs(frame.height - np.sqrt(area / aspect)) <= 0.5


@given(st.floats(0.2, 5.0))
def test_a_mask_has_the_picture_s_very_aspect(aspect):
    size = canvas(aspect, TOYBOX)
    width, height = mask_size(size)
    assert width * size.height == height * size.width
    assert 128 < max(width, height) <= 256


@given(st.floats(0.2, 5.0), st.floats(-1, 1), st.floats(-1, 1))
def test_overscan_maps_the_frustum_onto_the_frame(aspect, x, y):
    size = canvas(aspect, TOYBOX)
    point = np.array([2 * x, 2 * y, -5.0, 1.0])
    seen = overscan(view().lens, size).projection @ point
    pixel = (seen[0] + 1) / 2 * size.width, (1 - seen[1]) / 2 * size.height
    frame = size.frame
    expected = frame.left + (x + 1) / 2 * frame.width, frame.top + (1 - y) / 2 * frame.height
    assert pixel == pytest.approx(expected, abs=1e-9)


def test_a_sentence_spells_out_a_few_words_and_counts_the_others():
    assert listed(list("abcd")) == "“a”, “b”, “c”, “d”"
    assert listed(list("abcdef")) == "“a”, “b”, “c” and 3 more"


@pytest.mark.parametrize(
    ("name", "phrase"),
    [("castle", "castle"), ("castle.001", "castle"), ("v1.5", "v1.5"), ("tree.1234", "tree"), ("a.01", "a.01")],
)
def test_the_default_phrase_is_the_name_without_blenders_number(name, phrase):
    assert default_phrase(name) == phrase


def test_phrases_are_spelt_as_the_prompt_spells_them():
    assert named_in("A Castle", [Mark("Castle.001", "castle")]) == [Mark("Castle.001", "Castle")]


def test_words_that_a_model_has_not_learned_are_named_once():
    words = ("a", "castle", "on", "meadow")
    assert strange("A medieval Castle, on a medieval hill", words) == ("medieval", "hill")
    assert strange("a castle on a meadow", words) == strange("anything at all", ()) == ()


def test_a_phrase_says_a_noun_of_one_word_or_of_two():
    nouns = ("castle", "frying pan")
    assert names_any("a blue  Castle", nouns) and names_any("Frying Pan", nouns)
    assert not names_any("sandcastle", nouns) and not names_any("pan", nouns)


def test_all_missing_phrases_are_told_of_at_once():
    with pytest.raises(PhraseMissing, match="does not say “rocket”, “whale”") as missing:
        named_in("a castle", [Mark("Cube", "rocket"), Mark("Castle", "castle"), Mark("Ball", "whale")])
    assert missing.value.subject == "rocket\nwhale" and "Cube and Ball" in missing.value.fix


def test_a_missing_phrase_and_nothing_marked_say_what_to_do():
    with pytest.raises(PhraseMissing, match="does not say “rocket”") as missing:
        named_in("a castle", [Mark("Cube", "rocket")])
    assert missing.value.subject == "rocket" and "Cube" in missing.value.fix
    with pytest.raises(NothingMarked):
        named_in("a castle", [])


def test_a_frame_that_no_picture_can_have_is_refused():
    with pytest.raises(FrameTooLong, match="too long"):
        canvas(1000.0, replace(TOYBOX, area=1024**2))
    with pytest.raises(FrameTooLong):
        mask_size(canvas(5.0, replace(TOYBOX, area=1024**2, multiple=8)))


@given(st.integers(25, 100), st.floats(0.5, 2.0))
def test_a_smaller_picture_keeps_its_shape(percent, aspect):
    whole, part = canvas(aspect, TOYBOX), canvas(aspect, scaled(TOYBOX, percent))
    assert part.frame.width == pytest.approx(whole.frame.width * percent / 100, abs=1.1)
    assert part.frame.height == pytest.approx(whole.frame.height * percent / 100, abs=1.1)


@pytest.mark.parametrize(
    ("prompt", "count", "told"),
    [
        ("a castle on a meadow", 2, "a left castle and a right castle on a meadow"),
        ("The Castle", 2, "the left castle and the right castle"),
        ("an apple", 3, "a left apple and a middle apple and a right apple"),
        ("a castle, and a castle", 2, "a left castle, and a right castle"),
        ("castles and sandcastle", 2, "castles and sandcastle"),
        ("castle", 4, "a number 1 castle and a number 2 castle and a number 3 castle and a number 4 castle"),
    ],
)
def test_things_of_one_phrase_are_told_apart_in_the_prompt(prompt, count, told):
    phrase = "apple" if "apple" in prompt else "castle"
    phrases = apart(phrase, count)
    assert split_phrase(prompt, phrase, phrases) == told
    assert len(set(phrases)) == count
