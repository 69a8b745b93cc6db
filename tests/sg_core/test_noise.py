# SPDX-License-Identifier: MIT
"""The noise between two seeds: its ends bit for bit, its length, its way; and what it does to a picture."""

import pytest
import torch

from sg_core import generate
from sg_core.errors import RequestError
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.noise import initial_noise, slerp, varied

SHAPE = (4, 8, 12)


def noise(*seeds: int) -> torch.Tensor:
    return initial_noise([torch.Generator("cpu").manual_seed(seed) for seed in seeds], SHAPE)


def test_the_ends_are_the_two_noises() -> None:
    assert torch.equal(varied(noise(1, 2), 3, 0.0), noise(1, 2))
    assert torch.allclose(varied(noise(1, 2), 3, 1.0), noise(3, 3), atol=1e-6)
    assert varied(noise(1, 2), 3, 0.5).dtype == torch.float32


def test_the_way_is_an_arc_that_keeps_the_length() -> None:
    """A straight line would lose 29 % of it half way, and the picture with it."""
    ends = noise(1), noise(2)
    half = slerp(*ends, 0.5)
    lengths = [float(end.norm()) for end in ends]
    assert abs(float(half.norm()) / (sum(lengths) / 2) - 1) < 0.01
    assert float(((ends[0] + ends[1]) / 2).norm()) < 0.8 * min(lengths)
    distances = [float((slerp(*ends, amount) - ends[0]).norm()) for amount in (0.1, 0.2, 0.4, 0.8)]
    assert distances == sorted(distances) and distances[0] > 0


def test_a_quarter_turn_is_known_in_numbers() -> None:
    first, second = torch.zeros(1, 1, 1, 2), torch.zeros(1, 1, 1, 2)
    first[..., 0], second[..., 1] = 2.0, 2.0
    third = 2.0 * torch.tensor([3.0**0.5 / 2, 0.5])
    assert torch.allclose(slerp(first, second, 1 / 3).flatten(), third)


def test_a_noise_turned_towards_itself_stays() -> None:
    assert torch.allclose(varied(noise(5), 5, 0.4), noise(5), atol=1e-6)


def test_a_picture_with_no_variation_is_the_same_bit_for_bit(model: StableDiffusion1) -> None:
    def paint(**options) -> torch.Tensor:
        return generate(model, "a castle", seeds=[3], width=96, height=64, steps=3, **options)

    plain = paint()
    assert torch.equal(paint(variation=0.0, variation_seed=8), plain)
    near, far = (float((paint(variation=amount, variation_seed=8) - plain).square().mean()) for amount in (0.1, 0.9))
    assert 0 < near < far
    for more in ({}, {"refinement": 0.4}, {"enlargement": 1.5}):
        other = generate(model, "a castle", seeds=[8], width=96, height=64, steps=3, **more)
        assert torch.allclose(paint(variation=1.0, variation_seed=8, **more), other, atol=1e-4)


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan")])
def test_an_amount_that_is_none(amount: float) -> None:
    with pytest.raises(RequestError, match="0 to 1"):
        varied(noise(1), 2, amount)
