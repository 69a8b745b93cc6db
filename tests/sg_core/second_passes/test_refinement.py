# SPDX-License-Identifier: MIT
"""A refined picture: off it is nothing; on, the last steps are walked again, and what is kept stays."""

import pytest
import torch

from sg_core import Moment, RequestError, generate, keep_look, masks, painted, place, shaped_noise
from sg_core.edits.keeping import Follow
from sg_core.models.model import Model
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.schedule import later, until
from sg_core.second_passes.refinement import refined, refining_steps
from tests.sg_core.flow_model import TinyFlow

PROMPT = "a castle and a rocket"
LEFT = torch.zeros(8, 8)
LEFT[:, :4] = 1.0
LAYOUT = place({"castle": LEFT, "rocket": 1 - LEFT}) + masks({"castle": LEFT, "rocket": 1 - LEFT}, emphasis=3.0)
SIZE = {"width": 64, "height": 64}


def paint(model: Model, layout=LAYOUT, **options) -> torch.Tensor:
    return generate(model, PROMPT, layout, **{**SIZE, "steps": 6, "seeds": (3,), **options})


def test_off_it_is_nothing(model: StableDiffusion1) -> None:
    assert torch.equal(paint(model, refinement=0.0), paint(model))
    assert not torch.equal(paint(model, refinement=0.5), paint(model))
    assert torch.equal(paint(model, steps=1, refinement=1.0), paint(model, steps=1)), "one step is no last part"


def test_all_steps_are_counted_as_one(model: StableDiffusion1) -> None:
    moments: list[Moment] = []
    paint(model, refinement=0.5, watch=moments.append)
    assert [(moment.step, moment.steps) for moment in moments] == [(step, 9) for step in range(1, 10)]
    enlarged: list[Moment] = []
    paint(model, refinement=0.5, enlargement=2.0, denoising=0.5, watch=enlarged.append)
    assert [(moment.step, moment.steps) for moment in enlarged] == [(step, 12) for step in range(1, 13)]
    assert [moment.latent.shape[-1] for moment in enlarged] == [4] * 9 + [8] * 3


def test_the_first_walk_is_as_it_is_without(model: StableDiffusion1) -> None:
    alone: list[Moment] = []
    both: list[Moment] = []
    paint(model, watch=alone.append)
    paint(model, refinement=0.5, watch=both.append)
    assert all(torch.equal(one.latent, other.latent) for one, other in zip(alone, both, strict=False))
    assert not torch.equal(both[5].latent, both[-1].latent)


def test_a_picture_does_not_depend_on_its_batch(model: StableDiffusion1) -> None:
    both = paint(model, refinement=0.5, seeds=(3, 4))
    assert (both[0] - paint(model, refinement=0.5)[0]).abs().max() < 1e-3
    assert not torch.equal(both[0], both[1])


@pytest.mark.parametrize("scheduler", ["ddpm", "euler", "euler a", "dpm++ 2m", "dpm++ 2m karras", "unipc", "lcm"])
def test_every_scheduler_refines(model: StableDiffusion1, scheduler: str) -> None:
    assert paint(model, refinement=0.5, scheduler=scheduler).isfinite().all()


def test_a_flow_is_refined_too(flow: TinyFlow) -> None:
    layout = place({"castle": LEFT, "rocket": 1 - LEFT})
    picture = generate(flow, PROMPT, layout, width=128, height=128, steps=4, scale=1.0, refinement=0.5)
    assert picture.isfinite().all()


def test_the_layout_holds_without_emphasis(model: StableDiffusion1) -> None:
    held = refined(LAYOUT + shaped_noise(1), 0.5)
    assert held.noise is None and held.energy == LAYOUT.energy
    assert [term.emphasis for term in held.masks.terms] == [0.0, 0.0]
    assert held.masks.phrases == LAYOUT.masks.phrases


def test_what_is_kept_stays_to_the_pixel(velocity_model: StableDiffusion1) -> None:
    """Outside the area that a move opens, a refined picture is the reference's as an unrefined one is."""
    model, size = velocity_model, {"width": 128, "height": 128, "steps": 6}
    old, new = torch.zeros(16, 16), torch.zeros(16, 16)
    old[4:8, 1:5], new[4:8, 6:10] = 1, 1
    moments: list[Moment] = []
    generate(model, PROMPT, place({"castle": old}), watch=moments.append, **size)
    reference = painted(moments[-1].latent, PROMPT, {"castle": old}, seed=0)
    kept = place({"castle": new}) + keep_look(model, reference, {"castle": new})
    plain, again = (generate(model, PROMPT, kept, refinement=part, **size) for part in (0.0, 0.5))
    far = torch.zeros(128, 128, dtype=torch.bool)
    far[:, 104:] = True
    assert torch.equal(plain[..., far], again[..., far])
    assert not torch.equal(plain, again)


def test_what_is_kept_holds_as_from_there_on(velocity_model: StableDiffusion1) -> None:
    moments: list[Moment] = []
    old = torch.zeros(8, 8)
    old[2:6, 2:6] = 1
    generate(velocity_model, PROMPT, place({"castle": old}), watch=moments.append, steps=2, **SIZE)
    reference = painted(moments[-1].latent, PROMPT, {"castle": old}, seed=0)
    keeping = (place({"castle": old}) + keep_look(velocity_model, reference, {"castle": old})).keeping
    noise, resumed = torch.zeros(1, 4, 8, 8), keeping.resume(0.5)
    assert torch.equal(resumed.begun(noise), noise), "noise that a walk begins with is its own"
    assert any(isinstance(term, Follow) for term in keeping.terms)
    assert [term.weight(0.5) for term in resumed.terms] == [term.weight(0.75) for term in keeping.terms]
    assert [later(until(0.7), 0.5)(progress) for progress in (0.0, 0.39, 0.41)] == [1.0, 1.0, 0.0]
    assert (resumed * 0.5).resumed and (resumed + keeping).resumed


def test_how_many_steps_are_walked_again() -> None:
    assert [refining_steps(8, part) for part in (0.0, 0.05, 0.5, 1.0)] == [0, 0, 4, 7]


def test_what_cannot_be_is_said(model: StableDiffusion1) -> None:
    with pytest.raises(RequestError, match=r"a refinement of 1\.5"):
        paint(model, refinement=1.5)
