# SPDX-License-Identifier: MIT
"""The last steps are those of the whole, wherever they begin, and what holds while they are walked again."""

from collections.abc import Callable

import pytest
import torch

from sg_core import Layout, control
from sg_core.models.schedulers import SCHEDULERS
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.second_passes.enlargement import settled
from sg_core.second_passes.last_steps import begun_anew, last_steps
from sg_core.second_passes.refinement import refined


def test_they_are_steps_of_the_whole(model: StableDiffusion1) -> None:
    whole = model.steps(10, "ddim")
    end = last_steps(whole, 3)
    assert [step.time for step in end.steps] == [step.time for step in whole.steps[-3:]]
    assert [(step.index, step.total) for step in end.steps] == [(0, 3), (1, 3), (2, 3)]
    assert end.start == pytest.approx(0.7)


@pytest.mark.parametrize("holding", [refined, settled])
def test_a_control_holds_for_as_long_as_without(holding: Callable[[Layout, float], Layout]) -> None:
    """Its window is a part of the whole: what gave way in the first walk does not come back in another."""
    window = control(torch.nn.Identity(), torch.zeros(3, 8, 8), until=0.6)
    (held,) = holding(window, 0.5).controls
    assert [held.weight(progress) for progress in (0.0, 0.1, 0.3)] == [1.0, 1.0, 0.0]
    assert [held.weight(0.0) for held in holding(window, 0.6).controls] == [0.0]


@pytest.mark.parametrize("name", SCHEDULERS)
def test_wherever_they_begin_an_ideal_network_is_led_to_its_picture(model: StableDiffusion1, name: str) -> None:
    """Among 50 steps: at that many, the timesteps of the last Karras ones are alike."""
    picture, noise = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    for count in (1, 2, 3, 4, 10):
        end = last_steps(model.steps(50, name), count)
        latent, generators = begun_anew(picture, end.steps[0], noise), [torch.Generator().manual_seed(1)]
        for step in end.steps:
            residue = latent * step.shrink - step.alpha * picture
            assert float(residue.std()) == pytest.approx(step.sigma, rel=0.2), (count, step)
            latent = end.advance(step, latent, residue / step.sigma, generators)
        assert (latent - picture).abs().max() < 0.2, count
