# SPDX-License-Identifier: MIT
"""All that a blockout says of its layout reaches the picture, and what it does not say leaves the picture alone."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

import sg_core
from addon.protocol.blockout import Mask, Scheduler, pack_mask
from server.problems import Unpaintable
from server.worker import translate, vocabulary
from sg_core.models.schedulers import SCHEDULERS
from sg_core.tokens import Phrase
from tests.server.worker.sample_request import ASKED, CASTLE, ROCKET, pixels, unwatched


def test_masks_hold_for_as_long_as_the_request_says(engine, tiny):
    """The nearest region claims what two share; a request without the field is painted as before."""
    whole = pack_mask(8, 4, bytes([255]) * 32)
    castle, rocket = replace(CASTLE, mask=whole, depth=1), replace(ROCKET, depth=0)
    asked = replace(ASKED, regions=(castle, rocket), masks=0.5)
    covers = {region.phrase: translate.coverage(region.mask) for region in (castle, rocket)}
    layout = sg_core.place(covers) + sg_core.masks({"rocket": covers["rocket"], "castle": covers["castle"]}, until=0.5)
    picture = sg_core.generate(
        sg_core.load(tiny.source), asked.prompt, layout, seeds=(3,), width=128, height=64, steps=4, scale=4.0
    )
    expected = (picture[0].permute(1, 2, 0) * 255).round().byte().numpy()
    assert np.array_equal(pixels(engine.paint(asked, unwatched).full), expected)
    assert not np.array_equal(pixels(engine.paint(replace(asked, masks=0.0), unwatched).full), expected)
    off, alone = replace(ASKED, strength=0.0, masks=1.0), replace(ASKED, regions=())
    assert np.array_equal(pixels(engine.paint(off, unwatched).full), pixels(engine.paint(alone, unwatched).full))


def framed(engine, **changes):
    """The full picture of what is asked for otherwise."""
    return pixels(engine.paint(replace(ASKED, masks=0.7, **changes), unwatched).full)


def regions(**changes):
    return {"regions": (replace(CASTLE, **changes), ROCKET)}


CHANGES = [
    {"scheduler": "dpm++ 2m karras"},
    {"noise": 2},
    {"leakage": 1.0},
    {"confined": True, **regions(mask=pack_mask(8, 4, bytes([255] + [0] * 7) * 4))},
    regions(strength=0.3),
    regions(start=0.3),
    regions(until=0.4),
    regions(description="on blue grass"),
    regions(colour=(1.0, 0.0, 0.0)),
    {"prompt": "a rocket", **regions(unnamed=True)},
]


@pytest.mark.parametrize("changes", CHANGES, ids=range(len(CHANGES)))
def test_what_else_a_layout_may_say_reaches_the_picture(engine, changes):
    changed, before = framed(engine, **changes), framed(engine)
    assert not np.array_equal(changed, before)
    assert np.array_equal(framed(engine, **changes), changed)


def cells(*covered: int) -> Mask:
    """A mask of 8 x 4 cells, those covered by number."""
    return pack_mask(8, 4, bytes(255 * (cell in covered) for cell in range(32)))


ALL, NONE, COLUMN, CORNER = cells(*range(32)), cells(), cells(3, 11, 19, 27), cells(31)
EXTREMES = {
    "the whole frame": (replace(CASTLE, mask=ALL, centroid=(0.5, 0.5), size=1.0),),
    "the whole frame, twice": (replace(CASTLE, mask=ALL), replace(ROCKET, mask=ALL)),
    "a column and a corner": (replace(CASTLE, mask=COLUMN), replace(ROCKET, mask=CORNER)),
    "nothing": (replace(CASTLE, mask=NONE, size=0.0), ROCKET),
    "nothing enforced": (replace(CASTLE, enforce=()),),
}


@pytest.mark.parametrize("masks", [0.0, 0.7])
@pytest.mark.parametrize("name", EXTREMES)
def test_masks_at_their_extremes_leave_numbers(engine, name, masks):
    energies = []
    every = tuple(replace(one, enforce=one.enforce and ("shape", "centroid", "size")) for one in EXTREMES[name])
    asked = replace(ASKED, regions=every, masks=masks)
    picture = pixels(engine.paint(asked, lambda progress: energies.extend(progress.energies)).full)
    assert np.isfinite([value for _, value in energies]).all()
    assert energies
    assert picture.std() > 1.0


def test_schedulers_have_the_names_of_the_method():
    assert set(get_args(Scheduler)) == set(SCHEDULERS)


def test_a_region_of_no_strength_is_left_to_the_prompt(engine):
    alone = pixels(engine.paint(replace(ASKED, regions=()), unwatched).full)
    silent = tuple(replace(region, strength=0.0) for region in (CASTLE, ROCKET))
    assert np.array_equal(framed(engine, regions=silent), alone)


def test_a_description_is_heard_in_its_region_alone():
    said = translate.wording(replace(ASKED, regions=(replace(CASTLE, description="a rocket"), ROCKET)))
    assert said.prompt == "a castle and a rocket, a rocket"
    assert said.phrases == (Phrase("castle"), Phrase("rocket"))
    assert said.descriptions == (Phrase("a rocket", 2), None)
    layout = translate.layout(replace(ASKED, masks=0.5, regions=(replace(CASTLE, description="a rocket"), ROCKET)))
    held = {mask.phrase: [mask.weight(progress) for progress in (0.0, 0.6)] for mask in layout.masks.terms}
    assert held == {Phrase("castle"): [1, 0], Phrase("a rocket", 2): [1, 1], Phrase("rocket"): [1, 0]}


def test_mere_signs_describe_nothing(engine):
    signs = (replace(CASTLE, description="-"), replace(ROCKET, description="()"))
    assert translate.wording(replace(ASKED, regions=signs)) == translate.wording(ASKED)
    with pytest.raises(Unpaintable, match="'-' says no word"):
        engine.paint(replace(ASKED, regions=(replace(CASTLE, phrase="-", unnamed=True), ROCKET)), unwatched)


def test_only_words_a_model_knows_describe_a_region():
    blockout = replace(ASKED, regions=(replace(CASTLE, description="a gothic blue castle"),))
    assert vocabulary.readable(blockout, {"a", "blue", "castle"}).regions[0].description == "a blue castle"
    assert vocabulary.readable(blockout, {"fog"}).regions[0].description == ""
