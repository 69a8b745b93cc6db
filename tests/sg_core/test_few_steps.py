# SPDX-License-Identifier: MIT
"""Few steps and no second pass: distilled models, flows that begin with nothing but noise, and scale 1."""

from dataclasses import dataclass, replace

import pytest
import torch

from sg_core import Moment, generate, masks, place
from sg_core.guidance import Relative, rms
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from tests.sg_core.flow_model import TinyFlow

PROMPT = "a castle and a rocket"
LEFT = torch.zeros(8, 8)
LEFT[:, :4] = 1.0
REGIONS = {"castle": LEFT, "rocket": 1 - LEFT}


@dataclass(frozen=True)
class Counting:
    """A model that remembers what its network was told."""

    model: TinyFlow | StableDiffusion1
    told: list

    def __getattr__(self, name: str) -> object:
        return getattr(self.model, name)

    def predict(self, latent: torch.Tensor, step: object, text: object) -> torch.Tensor:
        self.told.append(text)
        return self.model.predict(latent, step, text)


def paint(model, layout=None, **options) -> torch.Tensor:
    return generate(model, PROMPT, layout, **{"width": 64, "height": 64, "scheduler": "euler", "steps": 4, **options})


def errors(model, layout, **options) -> list[float]:
    moments: list[Moment] = []
    paint(model, layout, watch=moments.append, **options)
    return [sum(moment.energies.values()) for moment in moments if moment.energies]


def test_a_distilled_model_has_one_pass_a_step(flow: TinyFlow) -> None:
    counting = Counting(flow, [])
    paint(counting, place(REGIONS), scale=5.0)
    assert len(counting.told) == 4
    assert all("guidance" not in text.inputs for text in counting.told)


def test_a_model_that_is_told_its_guidance_is_told_it(flow: TinyFlow) -> None:
    counting = Counting(replace(flow, card=replace(flow.card, guided_by="input")), [])
    paint(counting, scale=3.5, seeds=[0, 1])
    assert len(counting.told) == 4
    assert all(text.inputs["guidance"].tolist() == [3.5, 3.5] for text in counting.told)


def test_scale_1_needs_no_second_pass_and_any_other_does(model: StableDiffusion1) -> None:
    for scale, passes in ((1.0, 4), (1.1, 8)):
        counting = Counting(model, [])
        paint(counting, scale=scale)
        assert len(counting.told) == passes


@pytest.mark.parametrize("mode", [{"strength": 1.0}, {"mode": "paper", "strength": 300.0}])
def test_a_flow_is_guided_from_its_first_step_on(flow: TinyFlow, mode: dict) -> None:
    guided, free = errors(flow, place(REGIONS), steps=8, **mode), errors(flow, place(REGIONS), steps=8, strength=0.0)
    assert guided[-1] < free[-1] - 0.05
    assert paint(flow, place(REGIONS), **mode).isfinite().all()


def test_without_a_second_pass_the_push_is_measured_against_the_output(flow: TinyFlow) -> None:
    """The first step by hand: it takes 0.5 * 0.8 of the RMS of what the network says."""
    first = flow.steps(4, "euler").steps[0]
    moments: list[Moment] = []
    paint(flow, place(REGIONS), strength=0.5, watch=moments.append)
    latent = torch.randn(flow.latent_shape(64, 64), generator=torch.Generator().manual_seed(0))[None]
    output = flow.predict(latent, first, flow.encode([PROMPT]))
    walked = flow.steps(4, "euler").advance(first, latent, output, [])
    sigmas = [step.sigma for step in flow.steps(4, "euler").steps]
    push = (moments[0].latent - walked) / (sigmas[1] - sigmas[0])
    assert rms(push).item() == pytest.approx(0.5 * 0.8 * rms(output).item(), rel=1e-3)


def test_masks_hold_in_joint_attention_and_off_is_off(flow: TinyFlow) -> None:
    plain = paint(flow)
    assert torch.equal(paint(flow, masks(REGIONS) * 0.0), plain)
    assert not torch.equal(paint(flow, masks(REGIONS)), plain)


def test_of_a_single_step_only_masks_are_left(flow: TinyFlow) -> None:
    plain = paint(flow, steps=1)
    assert torch.equal(paint(flow, place(REGIONS), steps=1), plain)
    assert not torch.equal(paint(flow, masks(REGIONS), steps=1), plain)
    assert not Relative(1.0).acts(flow.steps(1, "euler").steps[0])


def test_latents_that_grow_are_guided_too(model: StableDiffusion1) -> None:
    """What the network sees, and what the gradient is taken by, is of unit size: Euler is DDIM in other units."""
    assert model.steps(8, "euler").steps[0].shrink < 0.2
    euler, ddim = (errors(model, place(REGIONS), steps=8, scheduler=name) for name in ("euler", "ddim"))
    assert euler == pytest.approx(ddim, abs=1e-3)
    assert euler[-1] < errors(model, place(REGIONS), steps=8, strength=0.0)[-1] - 0.05
