# SPDX-License-Identifier: MIT
"""Pictures that follow another one, with real diffusers classes at a tiny size."""

import io
from dataclasses import replace
from functools import partial
from hashlib import sha256

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image, PngImagePlugin

from addon.protocol.blockout import (
    Blocking,
    CollagePart,
    FlatColour,
    Frame,
    ReferencePicture,
    ReferenceRegion,
    pack_mask,
)
from server.problems import UnknownReference, Unpaintable
from server.queue.sharing import ALONE
from server.queue.store import Store
from server.settings import ServerSettings
from server.worker.png_files import handed_over
from server.worker.reference_latents import latent_of, latent_text, read, reference_of
from server.worker.references import collected, keeping
from server.worker.reporter import JobReporter, WorkerFacts
from sg_core.edits.keeping import Carry, Replace
from sg_core.tokens import Phrase
from tests.server.worker.sample_request import ASKED, CASTLE, ROCKET, pixels, unwatched

HERE, THERE = (
    [pack_mask(8, 4, bytes(row * 4)) for row in rows] for rows in ([[255, 255] + [0] * 6], [[0] * 6 + [255, 255]])
)
BESIDE = pack_mask(16, 8, bytes(([0] * 2 + [255] * 3 + [0] * 11) * 2 + [0] * 96))
BEFORE = replace(ASKED, regions=(replace(CASTLE, mask=BESIDE), replace(ROCKET, mask=THERE[0])))


def follow(png: bytes, **changes) -> ReferencePicture:
    listed = tuple(ReferenceRegion(name=r.name, mask=r.mask, outline=r.mask) for r in BEFORE.regions)
    asked = {"caption": BEFORE.prompt, "seed": BEFORE.seed, "regions": listed, **changes}
    return ReferencePicture(picture=sha256(png).hexdigest(), **asked)


@pytest.fixture(scope="module")
def before(engine) -> bytes:
    """The whole picture that others follow."""
    return engine.paint(BEFORE, unwatched).full


def test_a_latent_comes_back_as_it_was(before):
    latent = torch.randn(1, 4, 8, 16)
    assert torch.equal(latent_of(latent_text(latent)), latent.half().float())
    file = read(before)
    assert file.model == "tiny" and file.latent is not None and file.latent.shape == (1, 4, 8, 16)


@pytest.mark.parametrize("text", ["", "x", "AAAA", "eJwDAAAAAAE="])
def test_what_is_no_latent_is_refused(text):
    with pytest.raises(ValueError, match=r"latent|buffer"):
        latent_of(text)


def test_a_picture_that_was_not_handed_over_is_missed(engine, before):
    with pytest.raises(UnknownReference, match="was not handed over"):
        engine.paint(replace(BEFORE, reference=follow(before)), unwatched)
    part = CollagePart(region="castle", picture=follow(before).picture, caption=BEFORE.prompt, phrase="castle")
    with pytest.raises(UnknownReference, match="Not all pictures"):
        engine.paint(replace(BEFORE, collage=(part,)), unwatched)


@pytest.mark.parametrize("field", ["reference.picture", "collage"])
def test_a_picture_that_is_gone_is_named_where_it_is_referred_to(tmp_path, field):
    store = Store(tmp_path / "jobs.sqlite")
    gone, there = store.keep(b"gone"), store.keep(b"there")
    followed, cut = (gone, there) if field == "reference.picture" else (there, gone)
    part = CollagePart(region="castle", picture=cut, caption=BEFORE.prompt, phrase="castle")
    asked = replace(BEFORE, reference=replace(follow(b""), picture=followed), collage=(part,))
    store.submit(asked, "key", 1)
    store.artifacts.find(gone).unlink()
    reporter = JobReporter(store.claim(), WorkerFacts(store, ALONE), None, ServerSettings(home=tmp_path))
    for missed in (reporter.pictures, partial(handed_over, asked, {there: b"there"})):
        with pytest.raises(UnknownReference) as refusal:
            missed()
        assert refusal.value.problem().path == field
    store.close()


def test_where_nothing_changes_the_picture_is_the_same(engine, before):
    again = engine.paint(replace(BEFORE, seed=99, reference=follow(before)), unwatched, before)
    assert np.array_equal(pixels(again.full), pixels(before))


def test_a_region_that_is_repainted_changes_and_the_rest_does_not(engine, before):
    castle = replace(BEFORE.regions[0], look="repaint")
    asked = replace(BEFORE, seed=99, regions=(castle, BEFORE.regions[1]), reference=follow(before))
    after = pixels(engine.paint(asked, unwatched, before).full)
    assert np.array_equal(after[:, 64:], pixels(before)[:, 64:])
    assert not np.array_equal(after[:16, 16:40], pixels(before)[:16, 16:40])


@pytest.mark.parametrize("look", ["keep", "free"])
def test_a_region_that_moved_opens_where_it_was_and_where_it_goes(engine, before, look):
    below = pack_mask(16, 8, bytes([0] * 96 + ([0] * 2 + [255] * 3 + [0] * 11) * 2))
    moved = replace(
        BEFORE, regions=(replace(CASTLE, mask=below, look=look), BEFORE.regions[1]), reference=follow(before)
    )
    after = pixels(engine.paint(moved, unwatched, before).full)
    assert np.array_equal(after[:, 64:], pixels(before)[:, 64:])
    assert not np.array_equal(after[48:, 16:40], pixels(before)[48:, 16:40])


@pytest.mark.parametrize("keeps", ["look", "layout"])
def test_what_keeps_less_than_the_picture_changes_it(engine, before, keeps):
    castle = replace(BEFORE.regions[0], look="keep")
    asked = replace(BEFORE, seed=99, regions=(castle, BEFORE.regions[1]))
    plain = engine.paint(asked, unwatched).full
    other = engine.paint(replace(asked, reference=follow(before, keeps=keeps)), unwatched, before).full
    assert not np.array_equal(pixels(other), pixels(plain))


def test_words_are_aligned_with_the_prompt_that_is_painted(engine, before):
    """Where no region pulls, none adds words to it."""
    castle = replace(BEFORE.regions[0], description="blue rock", unnamed=True)
    plain = replace(BEFORE, strength=0.0, reference=follow(before, keeps="attention"))
    alone, described = (
        [term.alignment for term in keeping(engine._ready.sparing, None, asked, before).keeping.of(Replace, 0.0)]
        for asked in (plain, replace(plain, regions=(castle, BEFORE.regions[1])))
    )
    assert any(alone) and described == alone


def test_what_is_shown_already_stays_and_the_rest_is_painted(engine, before):
    left = pack_mask(16, 8, bytes(([255] * 8 + [0] * 8) * 8))
    painted = engine.paint(replace(BEFORE, seed=99, reference=follow(before, shown=left)), unwatched, before).full
    assert np.array_equal(pixels(painted)[:, :56], pixels(before)[:, :56])
    assert not np.array_equal(pixels(painted)[:, 72:], pixels(before)[:, 72:])


def test_a_photograph_is_followed_like_a_picture_of_ours(engine):
    rows = np.random.default_rng(0).integers(0, 256, (96, 192, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(rows).save(file, "PNG")
    castle = replace(BEFORE.regions[0], look="repaint")
    asked = replace(BEFORE, regions=(castle, BEFORE.regions[1]), reference=follow(file.getvalue()))
    after = pixels(engine.paint(asked, unwatched, file.getvalue()).full)
    assert after.shape == (64, 128, 3)
    small = np.asarray(Image.fromarray(rows).resize((128, 64), Image.Resampling.BILINEAR), int)
    assert np.abs(after[:, 72:].astype(int) - small[:, 72:]).mean() < 4


def redrawn(png: bytes) -> bytes:
    """A picture of ours with what it carries, and other pixels."""
    image, file, texts = Image.open(io.BytesIO(png)), io.BytesIO(), PngImagePlugin.PngInfo()
    for key, text in image.text.items():
        texts.add_text(key, text)
    rows = np.random.default_rng(0).integers(0, 256, (image.height, image.width, 3), np.uint8)
    Image.fromarray(rows).save(file, "PNG", pnginfo=texts)
    return file.getvalue()


def test_the_artist_s_frame_is_followed_to_the_pixel(engine):
    """Its latent says what is around it; of what is inside, that is not the last word."""
    png = redrawn(engine.paint(BEFORE, unwatched).picture)
    followed = reference_of(engine._ready.sparing, None, replace(BEFORE, reference=follow(png)), png)
    assert torch.equal(framed(followed.picture[0], BEFORE.frame), read(png).pixels)
    again = engine.paint(replace(BEFORE, seed=99, reference=follow(png)), unwatched, png)
    assert np.array_equal(pixels(again.picture), pixels(png))


def framed(values: torch.Tensor, frame: Frame) -> torch.Tensor:
    """The artist's part of (..., y, x)."""
    return values[..., frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]


@pytest.mark.parametrize("kind", ["picture", "full"])
def test_of_a_picture_of_another_size_frame_lies_on_frame(engine, kind):
    """Pixels and masks alike: the frames lie otherwise in the two pictures."""
    png, model = redrawn(getattr(engine.paint(BEFORE, unwatched), kind)), engine._ready.sparing
    new = Frame(left=2, top=6, width=224, height=120)
    asked = replace(BEFORE, width=240, height=128, frame=new, reference=follow(png))
    followed = reference_of(model, None, asked, png)
    old = read(png).pixels if kind == "picture" else framed(read(png).pixels, BEFORE.frame)
    doubled = F.interpolate(old[None], (120, 224), mode="bilinear", antialias=True, align_corners=False)
    assert torch.allclose(framed(followed.picture, new), doubled, atol=1e-6)
    for found in (followed.regions, followed.outlines):
        covered = framed(found[Phrase("castle")], new) > 0.5  # 16 to 40 and 0 to 16 of 128 x 64, 8 and 2 of it outside
        rows, columns = covered.nonzero(as_tuple=True)
        assert (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1) == (16, 64, 0, 28)


@pytest.mark.parametrize("png", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_what_is_no_picture_is_refused(engine, png):
    with pytest.raises(Unpaintable, match="cannot be read"):
        engine.paint(replace(BEFORE, reference=follow(png)), unwatched, png)


def test_a_damaged_picture_is_refused(before):
    """Wherever it is damaged: no byte of its first chunks makes another error of it."""
    damaged = [before[:place] + bytes([before[place] ^ 0xFF]) + before[place + 1 :] for place in range(8, 60)]
    for png in damaged:
        with pytest.raises(Unpaintable, match="cannot be read") as refused:
            read(png)
        assert refused.value.path == "reference"


def test_objects_come_out_of_other_pictures(engine, before):
    part = CollagePart(region="castle", picture="0" * 64, caption=BEFORE.prompt, phrase="castle", outline=BESIDE)
    asked = replace(ASKED, seed=99, collage=(part,))
    cases = ((asked, [before]), (replace(asked, collage=()), []))
    after, plain = (pixels(engine.paint(one, unwatched, None, files).full).astype(int) for one, files in cases)
    assert abs(after - plain)[:, :64].mean() > 2 * abs(after - plain)[:, 72:].mean()
    with pytest.raises(Unpaintable, match="cannot be read"):
        engine.paint(asked, unwatched, None, [b"no picture"])
    with pytest.raises(Unpaintable, match="of the region dog, which the request does not have"):
        engine.paint(replace(asked, collage=(replace(part, region="dog"),)), unwatched, None, [before])


def test_an_object_is_cut_into_the_picture_that_is_followed(engine, before):
    """What is around it in its own picture, black here, is no rim."""
    part = CollagePart(region="castle", picture="0" * 64, caption=BEFORE.prompt, phrase="castle", outline=BESIDE)
    asked, model, black = replace(BEFORE, regions=ASKED.regions, collage=(part,)), engine._ready.sparing, io.BytesIO()
    Image.new("RGB", (128, 64)).save(black, "PNG")
    following, files = replace(asked, reference=follow(before)), [black.getvalue()]
    behind = reference_of(model, None, following, before)
    layouts = keeping(model, None, following, before, files), collected(model, None, asked, files, behind)
    into, expected, alone = (
        layout.keeping.of(Carry, 0.0)[-1].goal for layout in (*layouts, keeping(model, None, asked, None, files))
    )
    assert torch.equal(into, expected) and not torch.equal(into, alone)


def test_a_picture_begins_as_its_blocking(engine):
    colours = (FlatColour(region="castle", colour=(1.0, 0.0, 0.0)), FlatColour(region="rocket", colour=(0.0, 0.0, 1.0)))
    off, short, long = (
        pixels(engine.paint(replace(ASKED, blocking=Blocking(amount=amount, colours=colours)), unwatched).full)
        for amount in (0.0, 0.3, 1.0)
    )
    assert np.array_equal(off, pixels(engine.paint(ASKED, unwatched).full))
    assert not np.array_equal(short, off) and not np.array_equal(long, short)
