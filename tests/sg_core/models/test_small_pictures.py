# SPDX-License-Identifier: MIT
"""Pictures smaller than a model paints: painted at twice the sides and averaged, whatever looks at them meanwhile."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from sg_core import Moment, RequestError, generate, keep_look, painted, pictured
from sg_core.models.model import of_size, painted_sides
from sg_core.models.stable_diffusion_1 import StableDiffusion1

PROMPT = "a castle and a rocket"


@pytest.fixture
def larger(model: StableDiffusion1) -> StableDiffusion1:
    return replace(model, card=replace(model.card, least=64 * 64, multiple=32))


def test_a_small_picture_is_the_large_one_averaged_down(model: StableDiffusion1, larger: StableDiffusion1) -> None:
    large = generate(model, PROMPT, seeds=[3], width=96, height=64, steps=2)
    small = generate(larger, PROMPT, seeds=[3], width=48, height=32, steps=2)
    assert torch.allclose(small, F.avg_pool2d(large, 2), atol=1e-6)
    assert torch.equal(generate(larger, PROMPT, seeds=[3], width=96, height=64, steps=2), large)


def test_sides_are_multiples_as_they_are_painted(larger: StableDiffusion1) -> None:
    assert painted_sides(larger.card, 48, 32) == (96, 64)
    assert painted_sides(larger.card, 64, 64) == (64, 64)
    with pytest.raises(RequestError, match="multiples of 32"):
        painted_sides(larger.card, 40, 32)


def test_a_watch_sees_it_as_large_as_it_is_painted(larger: StableDiffusion1) -> None:
    moments: list[Moment] = []
    generate(larger, PROMPT, width=48, height=32, steps=2, watch=moments.append)
    assert [moment.preview().shape for moment in moments] == [(1, 3, 64, 96)] * 2
    assert moments[-1].latent.shape[2:] == (8, 12)


def test_a_small_picture_is_a_reference_of_its_size(larger: StableDiffusion1) -> None:
    moments: list[Moment] = []
    before = generate(larger, PROMPT, seeds=[3], width=32, height=32, steps=2, watch=moments.append)
    own = painted(moments[-1].latent, PROMPT, {}, seed=3)
    again = generate(larger, PROMPT, keep_look(larger, own, {}), seeds=[3], width=32, height=32, steps=2)
    assert torch.allclose(again, before, atol=1e-5)
    photograph = pictured(larger, before[0], PROMPT, {})
    assert photograph.latent.shape == own.latent.shape
    enlarged = F.interpolate(before, (64, 64), mode="bilinear")
    assert torch.allclose(photograph.latent, larger.latent(enlarged), atol=1e-5)


def test_pictures_of_that_size_are_left_alone() -> None:
    pictures = torch.rand(1, 3, 32, 48)
    assert of_size(pictures, 48, 32) is pictures
    assert of_size(pictures, 96, 64).shape == (1, 3, 64, 96)
