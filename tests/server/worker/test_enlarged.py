# SPDX-License-Identifier: MIT
"""Enlarged pictures and small decoders reach the engine: sizes, steps, previews, what was achieved, what is refused."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from addon.protocol.blockout import Blocking, CollagePart, FlatColour, Frame, ReferencePicture
from addon.protocol.content_key import content_key
from addon.protocol.step_counts import all_steps
from addon.protocol.step_counts import refining_steps as asked_again
from server.adapters import PLAIN
from server.problems import NoModel
from server.worker.engine import DiffusionEngine, Progress
from server.worker.reference_latents import first_pass, reference_of
from sg_core.second_passes.refinement import refining_steps
from tests.server.worker.sample_request import ASKED, pixels, unwatched
from tests.sg_core.models.companions.test_preview_decoder import save

LARGE = replace(
    ASKED, width=256, height=128, frame=Frame(left=16, top=4, width=224, height=120), enlargement=2.0, denoising=0.5
)


def size_of(png: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(png)).size


def test_it_is_as_large_as_it_was_asked_for(engine) -> None:
    heard: list[Progress] = []
    painting = engine.paint(LARGE, heard.append)
    assert size_of(painting.full) == (256, 128) and size_of(painting.picture) == (224, 120)
    painted = [progress for progress in heard if progress.preview is not None]
    assert [progress.step for progress in painted] == list(range(1, all_steps(LARGE) + 1)) == [1, 2, 3, 4, 5, 6]
    assert [progress.phase for progress in heard[-2:]] == ["decoding", "measuring"]
    assert {size_of(progress.preview()) for progress in painted} == {(224, 120)}, "of both passes alike"
    assert [item.name for item in painting.achieved] == ["castle", "rocket"]
    assert all(item.mask is None or item.mask.width <= 128 for item in painting.achieved)


def test_refining_steps_are_painted_and_counted(engine) -> None:
    for asked, steps in ((replace(ASKED, refinement=0.5), 6), (replace(LARGE, refinement=0.5), 8)):
        heard: list[Progress] = []
        painting = engine.paint(asked, heard.append)
        painted = [progress.step for progress in heard if progress.preview is not None]
        assert painted == list(range(1, all_steps(asked) + 1)) and len(painted) == steps
        plain = engine.paint(replace(asked, refinement=0.0), unwatched)
        assert not np.array_equal(pixels(painting.full), pixels(plain.full))


@pytest.mark.parametrize("refinement", [0.0, 0.01, 0.25, 0.5, 0.7, 1.0])
def test_the_wire_counts_the_steps_that_are_walked(refinement: float) -> None:
    for steps in range(1, 41):
        assert asked_again(replace(ASKED, steps=steps, refinement=refinement)) == refining_steps(steps, refinement)


def test_it_is_painted_as_it_says_and_not_otherwise(engine, tiny) -> None:
    picture = pixels(engine.paint(LARGE, unwatched).full)
    assert np.array_equal(pixels(engine.paint(LARGE, unwatched).full), picture)
    for other in ({"denoising": 1.0}, {"enlargement": 1.0}, {"strength": 0.0}):
        assert not np.array_equal(pixels(engine.paint(replace(LARGE, **other), unwatched).full), picture)
        assert content_key(replace(LARGE, **other), tiny) != content_key(LARGE, tiny)


@pytest.mark.parametrize("keeps", ["picture", "layout", "attention"])
@pytest.mark.parametrize("kind", ["full", "picture"])
def test_what_follows_another_picture_does_so_in_its_first_pass(engine, keeps, kind) -> None:
    png = getattr(engine.paint(ASKED, unwatched), kind)
    follows = ReferencePicture(picture="0" * 64, caption=ASKED.prompt, keeps=keeps)
    painting = engine.paint(replace(LARGE, reference=follows), unwatched, png)
    assert size_of(painting.full) == (256, 128)
    assert not np.array_equal(pixels(painting.full), pixels(engine.paint(LARGE, unwatched).full))


def test_a_reference_is_as_large_as_the_first_pass(engine) -> None:
    """Whatever is handed over: the picture or the artist's part of it, of that size or of the finished one's."""
    follows = ReferencePicture(picture="0" * 64, caption=ASKED.prompt)
    small, large = (replace(one, reference=follows) for one in (ASKED, LARGE))
    painted = [engine.paint(ASKED, unwatched), engine.paint(LARGE, unwatched)]
    with engine._painting(large) as (ready, _):
        model, judge = ready.sparing, ready.judge
        assert first_pass(model, large) == replace(small, denoising=0.5)
        for png in (painted[0].full, painted[0].picture):
            one, other = (reference_of(model, judge, asked, png) for asked in (small, large))
            assert torch.equal(one.latent, other.latent) and torch.equal(one.noise, other.noise)
        whole, part = (reference_of(model, judge, large, png) for png in (painted[1].full, painted[1].picture))
    assert whole.latent.shape == part.latent.shape == one.latent.shape
    inside = (slice(None), slice(None), slice(2, 60), slice(8, 120))
    assert (whole.picture[inside] - part.picture[inside]).abs().mean() < 0.02


def test_blocks_and_collages_are_of_the_first_pass_too(engine) -> None:
    png = engine.paint(ASKED, unwatched).full
    part = CollagePart(region="castle", picture="0" * 64, caption="a castle", phrase="castle")
    blocking = Blocking(amount=0.5, colours=(FlatColour(region="rocket", colour=(1.0, 0.0, 0.0)),))
    plain = pixels(engine.paint(LARGE, unwatched).full)
    for changes, files in (({"collage": (part,)}, (None, [png])), ({"blocking": blocking}, ())):
        painting = engine.paint(replace(LARGE, **changes), unwatched, *files)
        assert size_of(painting.full) == (256, 128) and not np.array_equal(pixels(painting.full), plain)


def test_previews_come_from_the_small_decoder_and_the_picture_does_not(tiny, tmp_path: Path) -> None:
    plain, small = DiffusionEngine(), DiffusionEngine()
    plain.load(tiny)
    small.load(tiny, replace(PLAIN, card=(("preview", str(save(tmp_path / "small"))),)))
    seen: dict[str, list[bytes]] = {"plain": [], "small": []}
    pictures = {
        name: one.paint(ASKED, lambda progress, name=name: progress.preview and seen[name].append(progress.preview()))
        for name, one in (("plain", plain), ("small", small))
    }
    assert pictures["plain"] == pictures["small"]
    assert len(seen["plain"]) == len(seen["small"]) == ASKED.steps
    assert all(one != other and size_of(one) == size_of(other) for one, other in zip(*seen.values(), strict=True))


def test_a_small_decoder_of_another_kind_is_said(tiny, tmp_path: Path) -> None:
    card = (("preview", str(save(tmp_path / "other", channels=16))),)
    with pytest.raises(NoModel, match="latents of 16 channels"):
        DiffusionEngine().load(tiny, replace(PLAIN, card=card))
