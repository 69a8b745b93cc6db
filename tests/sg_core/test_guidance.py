# SPDX-License-Identifier: MIT
"""When guidance acts, and how large it is."""

from dataclasses import replace

import pytest
import torch

from sg_core.energy import Reading, shape
from sg_core.guidance import Guidance, Memory, Paper, Relative, nothing_yet, rms
from sg_core.layout import as_layout
from sg_core.models.model import Step
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.parametrisation import PARAMETRISATIONS
from sg_core.sample import Texts, sample
from sg_core.schedule import Schedule, always, until

EPSILON, VELOCITY, CLEAN = (PARAMETRISATIONS[name] for name in ("epsilon", "v_prediction", "sample"))
STEP = Step(index=2, total=30, time=900, alpha=0.6, sigma=0.8)


def draw(seed: int, *scales: float) -> torch.Tensor:
    rows = torch.randn(len(scales), 4, 6, 5, generator=torch.Generator().manual_seed(seed))
    return rows * torch.tensor(scales).view(-1, 1, 1, 1)


def read(memory: Memory, energy: list[float], worst: list[float]) -> Memory:
    return memory.after(Reading(torch.tensor(energy), {}, torch.tensor(worst)))


def remembered(gradient: torch.Tensor, energy: float = 1.0) -> Memory:
    rows = len(gradient)
    return read(nothing_yet(gradient), [energy] * rows, [9.0] * rows).along(gradient)


def acting(guidance: Paper | Relative, total: int) -> list[int]:
    return [i for i in range(total) if guidance.acts(replace(STEP, index=i, total=total))]


@pytest.mark.parametrize(
    ("total", "first", "on"),
    [
        (16, 3, 9),
        (20, 4, 12),
        (25, 5, 15),
        (30, 6, 18),
        (50, 10, 29),
        (64, 12, 37),
        (100, 19, 58),
        (256, 48, 148),
        (300, 57, 174),
        (512, 96, 296),
        (1024, 192, 592),
    ],
)
def test_paper_guides_the_published_steps(total: int, first: int, on: int) -> None:
    steps = acting(Paper(1.0), total)
    assert len(steps) == on
    assert steps[: first + 1] == list(range(first + 1))
    assert {b - a for a, b in zip(steps[first:], steps[first + 1 :], strict=False)} == {2}
    assert steps[-1] < 31 * total // 32 <= total - 1


def test_relative_guides_until_seven_tenths_and_never_the_last_step() -> None:
    assert acting(Relative(0.7), 30) == list(range(21))
    assert acting(Relative(0.7, until=1.0), 5) == [0, 1, 2, 3]
    assert acting(Relative(0.7), 1) == acting(Paper(1.0), 1) == []


def test_steps_between_two_looks_repeat_the_latest_gradient() -> None:
    guidance = Relative(0.7, every=3)
    assert acting(guidance, 30) == list(range(0, 21, 3))
    again = [i for i in range(30) if guidance.repeats(replace(STEP, index=i, total=30))]
    assert again == [i for i in range(21) if i % 3]
    assert not any(one.repeats(STEP) for one in (Relative(0.7), Paper(1.0)))


@pytest.mark.parametrize("schedule", [always, until(0.35)])
def test_a_repeated_gradient_costs_no_pass_and_guides(model: StableDiffusion1, schedule: Schedule) -> None:
    """Every second step looks; in the others the picture goes on as it went, and where no term weighs, it does not."""
    mask, trajectory = torch.eye(8), model.steps(6, "ddim")
    energy = schedule * shape("castle", mask)
    texts = Texts(model.encode(["a castle"]), model.encode([""]), model.words(["a castle"], energy.phrases))

    def walked(guidance: Guidance) -> tuple[torch.Tensor, list[bool]]:
        looked: list[bool] = []
        layout, noise = as_layout(energy), torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
        latent = sample(
            model,
            noise,
            texts,
            trajectory,
            scale=4.0,
            noise=[],
            layout=layout,
            guidance=guidance,
            watch=lambda moment: looked.append(bool(moment.energies)),
        )
        return latent, looked

    latent, looked = walked(Relative(0.7, every=2))
    within = [schedule(index / 6) > 0 for index in range(6)]
    assert looked == [index in (0, 2, 4) and within[index] for index in range(6)]
    every, _ = walked(Relative(0.7))
    none, _ = walked(Relative(0.0))
    assert (latent - every).abs().mean() < 0.8 * (none - every).abs().mean()


def test_paper_is_weight_times_sigma_times_gradient_in_the_noise() -> None:
    gradient, correction, latent, noise = draw(0, 1.0), draw(1, 1.0), draw(2, 1.0), draw(3, 1.0)
    memory = remembered(gradient)
    for kind in (EPSILON, VELOCITY, CLEAN):
        output = kind.from_noise(noise, latent, 0.6, 0.8) + Paper(5.0).push(gradient, correction, STEP, kind, memory)
        assert torch.allclose(kind.to_noise(output, latent, 0.6, 0.8), noise + 5.0 * 0.8 * gradient, atol=1e-5)
    assert not Paper(5.0).rests(read(memory, [0.0], [0.0])).any()


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e5])
def test_relative_is_measured_against_the_correction_row_by_row(size: float) -> None:
    gradient, correction = draw(0, size, 3 * size), draw(1, 0.1, 0.4)
    push = Relative(0.7).push(gradient, correction, STEP, EPSILON, remembered(gradient))
    assert torch.allclose(rms(push), 0.7 * rms(correction))
    assert torch.allclose(push / rms(push).view(-1, 1, 1, 1), gradient / rms(gradient).view(-1, 1, 1, 1), atol=1e-5)


def test_relative_has_the_sign_of_the_parametrisation() -> None:
    gradient, correction = draw(0, 1.0), draw(1, 0.1)
    pushes = [
        Relative(0.7).push(gradient, correction, STEP, k, remembered(gradient)) for k in (EPSILON, VELOCITY, CLEAN)
    ]
    assert torch.equal(pushes[0], pushes[1])
    assert torch.equal(pushes[0], -pushes[2])


def test_relative_falls_silent_with_the_gradient() -> None:
    """A gradient below a tenth of the largest so far is not amplified to full length."""
    gradient, correction = draw(0, 1.0), draw(1, 0.1)
    memory = remembered(gradient)
    weak = Relative(1.0).push(0.01 * gradient, correction, STEP, EPSILON, memory.along(0.01 * gradient))
    assert rms(weak).item() == pytest.approx(0.1 * rms(correction).item(), rel=1e-4)
    zero = torch.zeros_like(gradient)
    assert torch.equal(Relative(1.0).push(zero, correction, STEP, EPSILON, memory.along(zero)), zero)
    assert torch.equal(Relative(1.0).push(zero, correction, STEP, EPSILON, remembered(zero)), zero)


def test_relative_decays_with_the_energy() -> None:
    gradient, correction = draw(0, 1.0), draw(1, 0.1)
    memory = read(remembered(gradient, energy=0.8), [0.2], [9.0])
    full = rms(correction).item()
    for decay, expected in ((1.0, 0.25), (0.5, 0.5), (0.0, 1.0)):
        push = Relative(1.0, decay=decay).push(gradient, correction, STEP, EPSILON, memory)
        assert rms(push).item() == pytest.approx(expected * full, rel=1e-4)


def test_relative_does_not_decay_below_nothing() -> None:
    """Terms with a negative weight push away: their energy falls without end."""
    gradient, correction = draw(0, 1.0, 1.0, 1.0), draw(1, 0.1, 0.1, 0.1)
    memory = read(nothing_yet(gradient), [-0.5, 0.8, 0.8], [9.0, 9.0, 9.0]).along(gradient)
    push = Relative(1.0).push(gradient, correction, STEP, EPSILON, read(memory, [-0.7, -0.1, 0.8], [9.0, 9.0, 9.0]))
    assert torch.allclose(rms(push), rms(correction))


def test_relative_is_clipped() -> None:
    gradient, correction = draw(0, 1.0, 1.0), draw(1, 0.1, 50.0)
    push = Relative(1.0, clip=0.5).push(gradient, correction, STEP, EPSILON, remembered(gradient))
    assert rms(push)[1].item() == pytest.approx(0.5, rel=1e-4)
    assert rms(push)[0].item() == pytest.approx(rms(correction)[0].item(), rel=1e-4)


def test_a_row_rests_when_satisfied_and_wakes_when_it_drifts() -> None:
    gradient, correction, guidance = draw(0, 1.0, 1.0), draw(1, 0.1, 0.1), Relative(1.0)
    memory = remembered(gradient)
    memory = read(memory, [0.1, 0.9], [0.9, 2.0])
    assert guidance.rests(memory).tolist() == [False, False]
    memory = read(memory, [0.1, 0.9], [0.9, 0.9])
    assert guidance.rests(memory).tolist() == [True, False]
    push = guidance.push(gradient, correction, STEP, EPSILON, memory)
    assert (push[0] == 0).all() and (push[1] != 0).any()
    memory = read(memory, [0.5, 0.9], [1.1, 0.9])
    assert guidance.rests(memory).tolist() == [False, True]
