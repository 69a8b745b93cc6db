# SPDX-License-Identifier: MIT
"""Enlarged pictures and small decoders reach the engine: sizes, steps, previews, what was achieved, what is refused."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from addon.protocol.blockout import Frame, ReferencePicture, all_steps
from addon.protocol.content_key import content_key
from server.adapters import PLAIN
from server.problems import NoModel, Unpaintable
from server.worker.engine import DiffusionEngine, Progress
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


def test_it_is_painted_as_it_says_and_not_otherwise(engine, tiny) -> None:
    picture = pixels(engine.paint(LARGE, unwatched).full)
    assert np.array_equal(pixels(engine.paint(LARGE, unwatched).full), picture)
    for other in ({"denoising": 1.0}, {"enlargement": 1.0}, {"strength": 0.0}):
        assert not np.array_equal(pixels(engine.paint(replace(LARGE, **other), unwatched).full), picture)
        assert content_key(replace(LARGE, **other), tiny) != content_key(LARGE, tiny)


def test_what_follows_another_picture_is_of_one_pass(engine) -> None:
    reference = engine.paint(ASKED, unwatched).full
    following = replace(LARGE, reference=ReferencePicture(picture="0" * 64, caption=ASKED.prompt, keeps="layout"))
    with pytest.raises(Unpaintable, match="painted in one pass"):
        engine.paint(following, unwatched, reference)


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
