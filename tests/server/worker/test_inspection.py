# SPDX-License-Identifier: MIT
"""A request is painted again and looked into: the same picture, with real diffusers classes at a tiny size."""

from dataclasses import replace
from hashlib import sha256

import pytest

from addon.protocol.blockout import CollagePart, Frame, Likeness, ReferencePicture, ReferenceRegion
from server.problems import Unpaintable
from server.safeguards.choices import Safeguards
from server.safeguards.finishing import Finishing
from server.worker.inspection import PicturesInspected
from tests.server.worker.sample_request import ASKED, CASTLE, pixels, unwatched


def test_a_saved_picture_is_painted_again_to_the_pixel(engine):
    before = engine.paint(ASKED, unwatched)
    for saved in (before.picture, before.full):
        page = engine.inspect(ASKED, unwatched, PicturesInspected(before=saved))
        assert page.difference == 0.0 and "to the pixel" in page.text
    other = engine.inspect(replace(ASKED, seed=4), unwatched, PicturesInspected(before=before.picture))
    assert other.difference is not None and other.difference > 0.5 and "of 255 away" in other.text


def test_a_marked_picture_is_painted_again_to_the_pixel(engine):
    """Its mark, which every picture that is large enough has, is no difference."""
    frame = Frame(left=8, top=2, width=620, height=410)
    asked = replace(ASKED, width=640, height=416, frame=frame, steps=1, strength=0.0)
    before = engine.paint(asked, unwatched)
    finishing = Finishing.of(Safeguards(), "0")
    for plain in (before.full, before.picture):
        saved = finishing.finished(plain, asked, "trainedAlgorithmicMedia")
        assert (pixels(saved) != pixels(plain)).any(), "it is marked"
        page = engine.inspect(asked, unwatched, PicturesInspected(before=saved))
        assert page.difference == 0.0 and "to the pixel" in page.text
    other = engine.inspect(replace(asked, seed=4), unwatched, PicturesInspected(before=saved))
    assert other.difference is not None and other.difference > 0.5


def test_regions_and_settings_are_on_the_page(engine):
    page = engine.inspect(replace(ASKED, negative="fog"), unwatched, PicturesInspected())
    assert page.difference is None
    for words in ("castle", "rocket", "shape", "presence", "Gradient", "<dd>fog</dd>", "<dd>128 × 64</dd>"):
        assert words in page.text


def test_without_strength_the_phrases_that_are_said_are_looked_for(engine):
    page = engine.inspect(replace(ASKED, strength=0.0, prompt="a castle"), unwatched, PicturesInspected())
    assert "castle at step 1" in page.text and "rocket at step 1" not in page.text


@pytest.mark.parametrize("keeps", ["picture", "layout", "attention"])
def test_an_edit_is_looked_into_with_its_reference(engine, keeps):
    png = engine.paint(ASKED, unwatched).full
    listed = tuple(ReferenceRegion(name=r.name, mask=r.mask, outline=r.mask) for r in ASKED.regions)
    followed = ReferencePicture(
        picture=sha256(png).hexdigest(), caption=ASKED.prompt, seed=ASKED.seed, regions=listed, keeps=keeps
    )
    castle = replace(CASTLE, look="repaint")
    edit = replace(ASKED, seed=9, regions=(castle, ASKED.regions[1]), reference=followed)
    after = engine.paint(edit, unwatched, png)
    page = engine.inspect(edit, unwatched, PicturesInspected(png, after.picture))
    assert page.difference == 0.0
    assert keeps == "attention" or "kept of the reference" in page.text
    assert f"keeps its {keeps}" in page.text


def test_what_is_like_another_picture_is_looked_into_with_that(engine):
    png = engine.paint(ASKED, unwatched).full
    digest = sha256(png).hexdigest()
    part = Likeness(region="castle", picture=digest, caption=ASKED.prompt, phrase="rocket", properties=("appearance",))
    cut = CollagePart(region="rocket", picture=digest, caption=ASKED.prompt, phrase="rocket", outline=CASTLE.mask)
    edit = replace(ASKED, seed=9, likenesses=(part,), collage=(cut,))
    after = engine.paint(edit, unwatched, None, [png, png])
    page = engine.inspect(edit, unwatched, PicturesInspected(before=after.picture, parts=(png, png)))
    assert page.difference == 0.0 and "appearance of castle, as before" in page.text
    assert f"castle, appearance of rocket in {digest[:12]}" in page.text and f"rocket out of {digest[:12]}" in page.text


def test_what_cannot_be_painted_cannot_be_looked_into(engine):
    with pytest.raises(Unpaintable, match="does not say"):
        engine.inspect(replace(ASKED, prompt="grass"), unwatched, PicturesInspected())
