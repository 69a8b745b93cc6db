# SPDX-License-Identifier: MIT
"""Energies against a reference: nothing apart from itself, less apart under guidance, off bit for bit."""

from collections import deque

import pytest
import torch

from sg_core import generate
from sg_core.edits.likeness import appearance, rescale, same_shape, shift
from sg_core.edits.passes import heard_references
from sg_core.edits.reference import Reference, painted
from sg_core.energy import Energy
from sg_core.errors import RequestError, TokenError
from sg_core.layout import shaped_noise
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.sample import Moment, Texts, conditional_pass

PROMPT, SIZE = "a castle and a rocket on grass", {"width": 64, "height": 64}
WHERE = torch.zeros(8, 8)
WHERE[2:5, 1:4] = 1.0


def paint(model: StableDiffusion1, layout=None, seed: int = 3, **options) -> torch.Tensor:
    return generate(model, PROMPT, layout, seeds=[seed], **{**SIZE, "steps": 4, **options})


def before(model: StableDiffusion1) -> Reference:
    moments: deque[Moment] = deque(maxlen=1)
    paint(model, seed=0, watch=moments.append)
    return painted(moments[0].latent, PROMPT, {"castle": WHERE}, seed=0)


def terms(reference: Reference) -> dict[str, Energy]:
    return {
        "appearance": appearance("castle", reference),
        "same_shape": same_shape("castle", reference),
        "shift": shift("castle", reference, 0.0, 0.0),
        "rescale": rescale("castle", reference, 1.0),
    }


def errors(model: StableDiffusion1, energy: Energy, reference: Reference) -> list[float]:
    """What the energy reads where the picture is its own reference."""
    step = model.steps(4, "ddim").steps[1]
    latent = reference.at(step)
    texts = Texts(model.encode([PROMPT]), None, model.words([PROMPT], energy.phrases))
    others = heard_references(model, energy, latent, 1.0).tapes(energy, step)
    passed = conditional_pass(model, latent, step, texts, energy, others, follow=True)
    assert passed.reading is not None and passed.gradient is not None
    return [float(error) for error in passed.reading.errors.values()]


def test_a_picture_is_like_itself(model: StableDiffusion1) -> None:
    reference = before(model)
    for name, energy in terms(reference).items():
        assert errors(model, energy, reference) == pytest.approx([0.0], abs=1e-5), name
    assert errors(model, shift("castle", reference, 0.3, 0.4), reference) == pytest.approx([0.5], abs=1e-5)
    another = appearance("castle", reference, source="rocket")
    assert errors(model, another, reference)[0] > 1e-4


@pytest.mark.parametrize("name", ["appearance", "same_shape", "shift", "rescale"])
def test_each_comes_nearer_under_guidance(model: StableDiffusion1, name: str) -> None:
    reference = before(model)
    energy = {**terms(reference), "shift": shift("castle", reference, 0.2, 0.1)}[name]
    if name == "rescale":
        energy = rescale("castle", reference, 0.5)

    def last(strength: float) -> float:
        seen: list[Moment] = []
        paint(model, energy, steps=12, strength=strength, watch=seen.append)
        return sum([moment.energies for moment in seen if moment.energies][-1].values())

    assert last(1.0) < 0.95 * last(0.0)


@pytest.mark.parametrize("name", ["appearance", "same_shape", "shift", "rescale"])
def test_each_is_off_bit_for_bit_and_adds(model: StableDiffusion1, name: str) -> None:
    reference = before(model)
    energy = terms(reference)[name]
    plain = paint(model)
    assert torch.equal(paint(model, energy, strength=0.0), plain)
    assert not torch.equal(paint(model, energy + 0.5 * shift("rocket", reference, 0.1, 0.0)), plain)
    assert not torch.equal(paint(model, energy + shaped_noise(1)), paint(model, energy))


def test_in_two_passes_the_second_goes_without(model: StableDiffusion1) -> None:
    moments: deque[Moment] = deque(maxlen=1)
    generate(model, PROMPT, width=32, height=32, steps=4, watch=moments.append)
    reference = painted(moments[0].latent, PROMPT, {"castle": WHERE})
    picture = paint(model, same_shape("castle", reference), enlargement=2.0)
    assert picture.shape == (1, 3, 64, 64)


def test_what_does_not_fit_is_refused(model: StableDiffusion1) -> None:
    reference = before(model)
    with pytest.raises(RequestError, match="the reference is 8 x 8 cells"):
        generate(model, PROMPT, appearance("castle", reference), width=96, height=64, steps=2)
    with pytest.raises(TokenError, match="blue"):
        paint(model, appearance("castle", reference, source="blue"))


def test_its_gradient_is_that_of_numbers(model: StableDiffusion1) -> None:
    """A step along the gradient changes the energy as the gradient says."""
    reference = before(model)
    energy, step = terms(reference)["appearance"], model.steps(4, "ddim").steps[1]
    latent = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(9))
    texts = Texts(model.encode([PROMPT]), None, model.words([PROMPT], energy.phrases))
    others = heard_references(model, energy, latent, 1.0).tapes(energy, step)

    def passed(at: torch.Tensor):
        return conditional_pass(model, at, step, texts, energy, others, follow=True)

    slope = passed(latent).gradient
    way = 1e-2 * slope / slope.norm()
    ahead, behind = (float(passed(latent + sign * way).reading.energy.detach()) for sign in (1, -1))
    assert (ahead - behind) / (2 * float(way.norm())) == pytest.approx(float(slope.norm()), rel=0.3)
