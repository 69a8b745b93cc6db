# SPDX-License-Identifier: MIT
"""A second pass: off it is nothing, on it enlarges what the first has painted, guided, with steps that are true."""

import pytest
import torch
import torch.nn.functional as F

from sg_core import Moment, RequestError, generate, load, masks, place, shaped_noise, until
from sg_core.models.model import Model
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.second_passes.enlargement import enlarged, first_size, settled, step_count
from tests.sg_core.flow_model import TinyFlow

PROMPT = "a castle and a rocket"
LEFT = torch.zeros(8, 8)
LEFT[:, :4] = 1.0
LAYOUT = place({"castle": LEFT, "rocket": 1 - LEFT})
SIZE = {"width": 128, "height": 96}


def paint(model: Model, layout=LAYOUT, **options) -> torch.Tensor:
    return generate(model, PROMPT, layout, **{**SIZE, "steps": 6, "seeds": (3,), **options})


def test_off_it_is_nothing(model: StableDiffusion1) -> None:
    assert torch.equal(paint(model, enlargement=1.0, denoising=1.0), paint(model))


def test_steps_of_both_passes_are_counted_as_one(model: StableDiffusion1) -> None:
    moments: list[Moment] = []
    picture = paint(model, enlargement=2.0, denoising=0.5, watch=moments.append)
    assert picture.shape == (1, 3, 96, 128)
    assert [moment.step for moment in moments] == list(range(1, 10))
    assert all(moment.steps == 9 and moment.progress == moment.step / 9 for moment in moments)
    shapes = [tuple(moment.latent.shape[2:]) for moment in moments]
    assert shapes == [(6, 8)] * 6 + [(12, 16)] * 3
    assert [tuple(moment.preview().shape[2:]) for moment in (moments[0], moments[-1])] == [(48, 64), (96, 128)]


@pytest.mark.parametrize(
    "scheduler", ["ddim", "ddpm", "euler", "euler a", "dpm++ 2m", "dpm++ 2m karras", "unipc", "lcm"]
)
def test_little_denoising_keeps_the_first_picture(model: StableDiffusion1, scheduler: str) -> None:
    """Of a network of nothing too: what is changed grows with the part of the steps that is walked again."""
    options = {"scheduler": scheduler, "steps": 10, "layout": None}
    moments: list[Moment] = []
    little, much = (
        paint(model, **options, enlargement=2.0, denoising=part, watch=moments.append) for part in (0.1, 1.0)
    )
    with torch.no_grad():
        large = model.decode(enlarged(model, moments[9].latent, 128, 96))
    assert (little - large).abs().mean() < (much - large).abs().mean()


def test_the_second_pass_is_guided(model: StableDiffusion1) -> None:
    """Its energies are read, and pull: one that begins in a step that only the second pass has changes that alone."""
    read: list[Moment] = []
    paint(model, enlargement=2.0, denoising=0.5, watch=read.append)
    assert [bool(moment.energies) for moment in read] == [True] * 5 + [False] + [True] * 2 + [False]
    early = LAYOUT * until(0.1)
    moments: dict[bool, list[Moment]] = {}
    for guided in (True, False):
        paint(
            model,
            early if guided else None,
            enlargement=2.0,
            denoising=0.5,
            watch=moments.setdefault(guided, []).append,
        )
    assert not torch.equal(moments[True][-1].latent, moments[False][-1].latent)


def test_noise_is_shaped_and_words_are_emphasised_in_the_first_pass_alone(model: StableDiffusion1) -> None:
    held = settled(LAYOUT + shaped_noise(1) + masks({"castle": LEFT}, emphasis=3.0), 0.6)
    assert held.noise is None and held.energy == LAYOUT
    assert [(term.phrase.words, term.emphasis) for term in held.masks.terms] == [("castle", 0.0)]
    layout = LAYOUT + shaped_noise(1) + masks({"castle": LEFT}, emphasis=3.0)
    assert paint(model, layout=layout, enlargement=2.0).isfinite().all()


def test_a_flow_is_enlarged_too(flow: TinyFlow) -> None:
    picture = generate(flow, PROMPT, LAYOUT, width=128, height=128, steps=4, scale=1.0, enlargement=2.0, denoising=0.5)
    assert picture.shape[2:] == (128, 128) and picture.isfinite().all()


def test_a_picture_is_enlarged_and_not_its_latent(velocity_model: StableDiffusion1, flow: TinyFlow) -> None:
    """Unless the model has no way back from pictures."""
    latent = torch.randn(1, 4, 6, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        small = velocity_model.decode(latent)
        picture = F.interpolate(small, (96, 128), mode="bicubic", align_corners=False).clamp(0, 1)
        assert torch.equal(enlarged(velocity_model, latent, 128, 96), velocity_model.latent(picture))
    assert enlarged(flow, latent, 128, 96).shape == (1, 4, 12, 16)


def test_the_same_request_is_the_same_picture(model: StableDiffusion1) -> None:
    both = paint(model, enlargement=2.0, seeds=(3, 4))
    assert torch.equal(paint(model, enlargement=2.0), paint(model, enlargement=2.0))
    assert (both[0] - paint(model, enlargement=2.0)[0]).abs().max() < 1e-3
    assert not torch.equal(both[0], both[1])


def test_the_first_pass_has_sides_that_the_model_can_paint() -> None:
    card = load("toybox").card
    assert card.multiple == 32
    assert first_size(card, 512, 384, 2.0) == (256, 192)
    assert first_size(card, 512, 384, 1.5) == (352, 256)
    assert first_size(card, 32, 32, 4.0) == (32, 32)


def test_how_many_steps_are_walked_again() -> None:
    assert [step_count(10, part) for part in (0.0, 0.04, 0.25, 1.0)] == [1, 1, 2, 10]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"enlargement": 0.5}, "an enlargement of 0.5"),
        ({"enlargement": 5.0}, "an enlargement of 5.0"),
        ({"enlargement": 2.0, "denoising": 1.5}, "a denoising of 1.5"),
    ],
)
def test_what_cannot_be_is_said(model: StableDiffusion1, options: dict[str, float], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        paint(model, **options)
