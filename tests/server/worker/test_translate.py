# SPDX-License-Identifier: MIT
"""From the words of the wire to those of the method, and back, without a network."""

from dataclasses import replace

import pytest
import torch

import sg_core
from addon.protocol.blockout import Frame, pack_mask
from server.worker import translate, vocabulary
from tests.server.worker.sample_request import ASKED, CASTLE


def test_what_would_not_be_read_is_quoted_in_whole_words():
    assert vocabulary.end("at sunset") == "“… at sunset”"
    long = vocabulary.end("golden light at sunset over the hills of an old country")
    assert long == "“… golden light at sunset over the hills …”" and len(long) <= vocabulary.QUOTED + 4


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a castle on a green hill, golden light at sunset", "a castle on a green, at sunset"),
        ("A Castle, and (a ROCKET)!", "A Castle, and a ROCKET!"),
        ("a (castle:1.3) on a [rocket]", "a castle on a rocket"),
        ("a “castle” on **a rocket**", "a castle on a rocket"),
        ("a castle 🏰🏰🏰 on a rocket ✨✨", "a castle on a rocket"),
        ("a castle|rocket", "a castle rocket"),
        ("moody light. A castle-like thing; a rocket's flame", "A castle, a rocket"),
        ("a castle (masterpiece:1.2), [best quality]", "a castle"),
        ("a castlelike thing", "a"),
        ("moody light", ""),
        ("", ""),
    ],
)
def test_a_model_reads_the_words_it_knows(text, read):
    words = {"a", "and", "at", "castle", "green", "on", "rocket", "sunset"}
    assert vocabulary.readable_text(text, words) == read


def test_a_region_s_phrase_is_read_whatever_it_says():
    asked = replace(ASKED, prompt="a moody castle beside a Stone  church, dusk", negative="fog, a rocket")
    regions = tuple(replace(CASTLE, phrase=phrase) for phrase in ("stone church", "moody castle", "castle"))
    read = vocabulary.readable(replace(asked, regions=regions), ("a", "castle", "rocket"))
    assert (read.prompt, read.negative) == ("a moody castle a Stone  church", "a rocket")
    assert vocabulary.readable(asked, ()) is asked


def test_what_was_seen_is_told_in_the_artists_frame():
    whole = torch.zeros(64, 128)
    whole[2:32, 8:64] = 1.0
    told = translate.achieved_by(sg_core.Grounding(whole, "judge"), "castle", ASKED)
    assert told.centroid == pytest.approx((0.25, 0.25))
    assert told.size == pytest.approx(0.25)
    assert torch.equal(translate.coverage(told.mask), whole)
    border = torch.zeros(64, 128)
    border[:2] = 1.0
    told = translate.achieved_by(sg_core.Grounding(border, "judge"), "castle", ASKED)
    assert (told.mask, told.centroid, told.size) == (None, None, 0.0)


def test_masks_are_read_from_the_top():
    mask = translate.coverage(pack_mask(2, 2, bytes([0, 255, 51, 102])))
    assert torch.allclose(mask, torch.tensor([[0.0, 1.0], [0.2, 0.4]]))


def test_centroid_and_size_are_carried_from_frame_to_picture():
    frame = Frame(left=10, top=20, width=80, height=40)
    assert translate.centroid_in_picture((0.5, 0.25), frame, (100, 100)) == (0.5, 0.3)
    assert translate.size_in_picture(0.5, frame, (100, 100)) == pytest.approx(0.16)


@pytest.mark.parametrize(
    ("enforce", "terms"),
    [
        (("shape",), {"shape of castle", "presence of castle"}),
        (("centroid", "size"), {"centroid of castle", "size of castle", "presence of castle"}),
        (("shape", "centroid"), {"shape of castle", "centroid of castle", "presence of castle"}),
        ((), {"presence of castle"}),
    ],
)
def test_a_region_enforces_what_it_says(enforce, terms):
    layout = translate.layout(replace(ASKED, regions=(replace(CASTLE, enforce=enforce),)))
    assert {term.name for term in layout.energy.terms} == terms


def test_shapes_keep_out_of_each_other():
    names = [term.name for term in translate.layout(ASKED).energy.terms]
    assert {"keep_out of castle", "keep_out of rocket"} <= set(names)


def test_two_regions_of_one_phrase_are_one_target():
    """Neither is forgotten, nor kept out of the other's place; the finer of two masks says how fine."""
    left, right = pack_mask(2, 1, bytes([255, 0])), pack_mask(4, 1, bytes([0, 0, 0, 255]))
    both = translate.together(translate.coverage(right), translate.coverage(left))
    assert torch.equal(both, torch.tensor([[1.0, 1.0, 0.0, 1.0]]))
    twins = tuple(replace(CASTLE, name=name, mask=mask) for name, mask in (("left", left), ("right", right)))
    names = [term.name for term in translate.layout(replace(ASKED, regions=twins)).energy.terms]
    assert names.count("shape of castle") == 1 and "keep_out of castle" not in names
