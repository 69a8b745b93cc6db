# SPDX-License-Identifier: MIT
"""Models of other families, from an offer to a picture: one checkpoint file of Stable Diffusion XL, a flow's folder."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from server.catalogue import described
from server.worker.engine import DiffusionEngine
from sg_core.models.cards import read_card
from sg_core.models.folder import quiet
from tests.server.worker.sample_request import ASKED, pixels, unwatched
from tests.sg_core.models import checkpoint_file
from tests.sg_core.models.families import pipelines


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Beside it the folder of its tiny configuration, without weights."""
    torch.manual_seed(0)
    with quiet():
        pipeline = pipelines.stable_diffusion_xl()
        pipeline.save_pretrained(tmp_path / "mine")
    for weights in (tmp_path / "mine").rglob("*.safetensors"):
        weights.unlink()
    checkpoint_file.save(pipeline, tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    with quiet():
        pipelines.flux_1(False).save_pretrained(tmp_path / "flow")
    return tmp_path / "flow"


@pytest.mark.parametrize("kind", ["checkpoint", "flow"])
def test_it_is_offered_loaded_and_painted(kind: str, request: pytest.FixtureRequest) -> None:
    """Guided by its regions, with the scheduler that every blockout starts with."""
    offer, engine = described(request.getfixturevalue(kind)), DiffusionEngine()
    engine.load(offer)
    asked = replace(ASKED, model=offer.name, scale=offer.scale, steps=4)
    guided = engine.paint(asked, unwatched)
    assert pixels(guided.full).std() > 1
    assert [item.by for item in guided.achieved] == ["attention", "attention"]
    free = pixels(engine.paint(replace(asked, strength=0.0), unwatched).full)
    assert not np.array_equal(pixels(guided.full), free)


FEW = {"turbo": (4, "euler a"), "lightning": (8, "euler"), "dmd2": (4, "lcm"), "lcm": (6, "lcm")}


@pytest.mark.parametrize("kin", FEW)
def test_a_model_of_few_steps_is_offered_and_painted_as_it_likes(checkpoint: Path, kin: str) -> None:
    """By its name, for its tensors are those of any other."""
    named = checkpoint.rename(checkpoint.with_name(f"my-{kin}-model.safetensors"))
    checkpoint.with_suffix("").rename(named.with_suffix(""))
    offer, engine = described(named), DiffusionEngine()
    assert (offer.steps, offer.scheduler, offer.scale, offer.base) == (*FEW[kin], 1.0, "stable-diffusion-xl")
    engine.load(offer)
    asked = replace(ASKED, model=offer.name, steps=offer.steps, scale=offer.scale, scheduler=offer.scheduler)
    guided, free = (engine.paint(replace(asked, strength=strength), unwatched) for strength in (0.7, 0.0))
    assert not np.array_equal(pixels(guided.full), pixels(free.full))


@pytest.mark.parametrize("kin", ["turbo", "lightning", "lcm"])
def test_the_first_versions_have_models_of_few_steps_too(tmp_path: Path, kin: str) -> None:
    folder = tmp_path / f"dreamer {kin}"
    torch.manual_seed(0)
    with quiet():
        pipelines.stable_diffusion_2().save_pretrained(folder)
    offer, engine = described(folder), DiffusionEngine()
    assert (offer.family, offer.steps, offer.scheduler, offer.scale) == (f"stable-diffusion-1-{kin}", *FEW[kin], 1.0)
    engine.load(offer)
    asked = replace(ASKED, model=offer.name, steps=offer.steps, scale=offer.scale, scheduler=offer.scheduler)
    guided, free = (engine.paint(replace(asked, strength=strength), unwatched) for strength in (0.7, 0.0))
    assert not np.array_equal(pixels(guided.full), pixels(free.full))
    assert described(Path(shutil.copytree(folder, tmp_path / "hyperreal dreams"))).family == "stable-diffusion-1"


def test_few_steps_are_told_by_the_repository_in_a_hub_s_cache_and_by_the_name_of_a_link(
    checkpoint: Path, tmp_path: Path
) -> None:
    snapshot = tmp_path / "models--them--dreamer-turbo" / "snapshots" / ("0" * 40)
    with quiet():
        pipelines.stable_diffusion_2().save_pretrained(snapshot)
    offer, card = described(snapshot), read_card(snapshot)
    assert (offer.name, offer.family, offer.steps) == ("dreamer-turbo", "stable-diffusion-1-turbo", FEW["turbo"][0])
    assert (card.name, card.family) == (offer.name, offer.family)
    content = checkpoint.rename(tmp_path / "0a1b2c")
    checkpoint.with_suffix("").rename(tmp_path / "xl-turbo")
    link = tmp_path / "xl-turbo.safetensors"
    link.symlink_to(content)
    offer, card = described(link), read_card(link)
    assert (offer.name, offer.family) == ("xl-turbo", "stable-diffusion-xl-turbo")
    assert (card.name, card.family, card.source) == (offer.name, offer.family, offer.source)
