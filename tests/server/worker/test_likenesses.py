# SPDX-License-Identifier: MIT
"""Regions that are pulled to what other pictures show, with real diffusers classes at a tiny size."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from addon.protocol.blockout import Blockout, CollagePart, Frame, Likeness
from server.problems import UnknownReference, Unpaintable
from server.worker import vocabulary
from server.worker.engine import Progress
from server.worker.references import keeping, resembling
from sg_core.models.model import Model
from tests.server.worker.sample_request import ASKED, CASTLE, ROCKET, pixels, unwatched

LOOK = Likeness(
    region="castle", picture="0" * 64, caption="a rocket on grass", phrase="rocket", properties=("appearance",)
)
EACH = {
    "shape": LOOK,
    "centroid": replace(LOOK, shift=(0.2, 0.1)),
    "size": replace(LOOK, factor=0.5),
    "appearance": LOOK,
}


@pytest.fixture(scope="module")
def before(engine) -> bytes:
    """The whole picture that others are to be like."""
    return engine.paint(replace(ASKED, prompt=LOOK.caption, regions=(ROCKET,), seed=8), unwatched).full


@pytest.fixture
def model(engine) -> Iterator[Model]:
    with engine._painting(ASKED) as (ready, _):
        yield ready.sparing


def alike(*parts: Likeness, **changes) -> Blockout:
    return replace(ASKED, likenesses=parts, **changes)


@pytest.mark.parametrize("name", EACH)
def test_each_property_changes_the_picture_and_is_read(engine, before, name):
    heard: list[Progress] = []
    part = replace(EACH[name], properties=(name,))
    after = engine.paint(alike(part), heard.append, None, [before]).full
    assert not np.array_equal(pixels(after), pixels(engine.paint(ASKED, unwatched).full))
    assert f"{name} of castle, as before" in dict(heard[0].energies)
    again = engine.paint(alike(part), unwatched, None, [before]).full
    assert np.array_equal(pixels(after), pixels(again))


@pytest.mark.parametrize("changes", [{"likenesses": (replace(LOOK, weight=0.0),)}, {"strength": 0.0}])
def test_what_does_not_pull_changes_no_bit(engine, before, changes):
    asked = alike(LOOK, **{name: value for name, value in changes.items() if name != "likenesses"})
    asked = replace(asked, likenesses=changes.get("likenesses", asked.likenesses))
    plain = engine.paint(replace(asked, likenesses=()), unwatched).full
    assert np.array_equal(pixels(engine.paint(asked, unwatched, None, [before]).full), pixels(plain))


def test_a_region_without_strength_is_like_nothing(engine, before):
    asked = replace(ASKED, regions=(replace(CASTLE, strength=0.0), ROCKET))
    after = engine.paint(replace(asked, likenesses=(LOOK,)), unwatched, None, [before]).full
    assert np.array_equal(pixels(after), pixels(engine.paint(asked, unwatched).full))


def test_one_picture_is_looked_at_once(model, before):
    parts = (LOOK, replace(LOOK, properties=("shape", "centroid")), replace(LOOK, region="rocket"))
    energy = resembling(model, None, alike(*parts), [before] * 3).energy
    assert len(energy.references) == 1 and len(energy.terms) == 4
    other = resembling(model, None, alike(LOOK, replace(LOOK, seed=1)), [before] * 2).energy
    assert len(other.references) == 2


@pytest.mark.parametrize(
    ("properties", "count"), [(("shape",), 1), (("centroid", "appearance"), 1), (("appearance",), 0)]
)
def test_where_no_block_says_words_are_heard_in_the_other_outline(model, before, properties, count):
    part = replace(LOOK, caption="a rocket", properties=properties)
    free = replace(CASTLE, enforce=(), until=0.5)
    asked = alike(part, masks=0.7, regions=(free, ROCKET))
    terms = resembling(model, None, asked, [before]).masks.terms
    assert [str(term.phrase) for term in terms] == ["castle"] * count
    assert all((term.weight(0.4), term.weight(0.6)) == (1.0, 0.0) for term in terms)
    assert not resembling(model, None, replace(asked, regions=(CASTLE, ROCKET)), [before]).masks.terms


def test_the_other_outline_goes_where_it_is_wanted(model, before):
    part = replace(LOOK, caption="a rocket", properties=("centroid", "size"))
    asked = replace(
        ASKED, masks=0.7, regions=(replace(CASTLE, enforce=()),), frame=Frame(left=0, top=0, width=128, height=64)
    )
    there, moved = (
        resembling(model, None, replace(asked, likenesses=(one,)), [before]).masks.terms[0].coverage
        for one in (part, replace(part, shift=(0.25, 0.0), factor=0.25))
    )
    columns = [(cover.amax(0) > 0.5 * cover.max()).nonzero()[:, 0].float() for cover in (there, moved)]
    assert float(moved.sum()) == pytest.approx(0.25 * float(there.sum()), rel=0.3)
    assert float(columns[1].max() - columns[1].min()) < 0.75 * float(columns[0].max() - columns[0].min())


def test_a_shift_is_of_the_artists_frame(engine, before):
    """A fifth of a frame that is half as wide as the picture is a tenth of the picture."""
    half, whole = (replace(ASKED.frame, left=0, top=0, width=width, height=width // 2) for width in (64, 128))
    painted = []
    for frame, shift in ((half, (0.2, -0.4)), (whole, (0.1, -0.2)), (whole, (0.2, -0.4))):
        part = replace(LOOK, properties=("centroid",), shift=shift)
        painted.append(pixels(engine.paint(alike(part, frame=frame), unwatched, None, [before]).full))
    assert np.array_equal(painted[0], painted[1]) and not np.array_equal(painted[0], painted[2])


def test_beside_a_collage_each_has_its_own_file(model, before):
    part = CollagePart(region="castle", picture="0" * 64, caption=ASKED.prompt, phrase="castle", outline=CASTLE.mask)
    asked = alike(LOOK, collage=(part,))
    layout = keeping(model, None, asked, None, [before, before])
    assert layout.keeping.terms and layout.energy.references
    with pytest.raises(UnknownReference, match="Not all pictures"):
        keeping(model, None, asked, None, [before])


def test_what_cannot_be_compared_is_refused(engine, before):
    with pytest.raises(Unpaintable, match="does not say whale, which castle is to be like") as refused:
        engine.paint(alike(replace(LOOK, phrase="whale")), unwatched, None, [before])
    assert refused.value.path == "likenesses"
    with pytest.raises(Unpaintable, match="of the region dog, which the request does not have"):
        engine.paint(alike(replace(LOOK, region="dog")), unwatched, None, [before])
    with pytest.raises(Unpaintable, match="cannot be read"):
        engine.paint(alike(LOOK), unwatched, None, [b"no picture"])


def test_captions_are_read_in_the_words_that_a_model_knows():
    part = replace(LOOK, caption="a gothic rocket over rough grass")
    cut = CollagePart(region="castle", picture="0" * 64, caption=part.caption, phrase="rocket")
    asked = alike(part, collage=(cut,))
    read = vocabulary.readable(asked, {"a", "castle", "grass", "and"})
    assert read.likenesses[0].caption == read.collage[0].caption == "a rocket grass"
    assert vocabulary.title_of(part.caption, asked) == "The caption of another picture"
    assert vocabulary.title_of(ASKED.prompt, asked) == "The prompt"
    assert vocabulary.title_of("fog", asked) == "What to avoid"
