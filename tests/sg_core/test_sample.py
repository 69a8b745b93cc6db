# SPDX-License-Identifier: MIT
"""Law 4: the loop owns gradients, refuses what cannot guide, and without an energy is the plain sampler."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, StableDiffusionPipeline

from sg_core import generate
from sg_core.attention.tape import listening
from sg_core.edits.recipes import place
from sg_core.energy import Energy, Measure, Term, centroid, shape, size
from sg_core.errors import Cancelled, EnergyError, RequestError
from sg_core.guidance import Relative
from sg_core.layout import as_layout
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.noise import initial_noise
from sg_core.sample import Moment, Texts, sample
from sg_core.tokens import Phrase

PROMPT = "a castle and a rocket"
LEFT = torch.zeros(8, 8)
LEFT[:, :4] = 1.0
LAYOUT = place({"castle": LEFT, "rocket": 1 - LEFT})


def noise(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))


def invented(measure) -> Energy:
    return Energy((Term("invented", Phrase("castle"), 0.1, measure),))


def paint(model: StableDiffusion1, layout: Energy | None = LAYOUT, **options) -> torch.Tensor:
    options = {"width": 96, "height": 64, "steps": 6, **options}
    return generate(model, options.pop("prompts", PROMPT), layout, **options)


def plain_loop(model: StableDiffusion1, scheduler, steps: int, scale: float, seed: int) -> torch.Tensor:
    """The sampler as everybody writes it."""
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(seed)
    latent = torch.randn(4, 8, 12, generator=generator)[None]
    text, nothing = (model.encode([prompt]).inputs["encoder_hidden_states"] for prompt in (PROMPT, ""))
    with torch.no_grad():
        for time in scheduler.timesteps:
            conditional = model.network(latent, int(time), text).sample
            plain = model.network(latent, int(time), nothing).sample
            guided = plain + scale * (conditional - plain)
            extra = {"generator": generator} if isinstance(scheduler, DDPMScheduler) else {}
            latent = scheduler.step(guided, time, latent, **extra).prev_sample
    return model.decode(latent)


@pytest.mark.parametrize("kind", [DDIMScheduler, DDPMScheduler])
def test_without_an_energy_it_is_the_plain_loop_bit_for_bit(model: StableDiffusion1, kind) -> None:
    expected = plain_loop(model, kind.from_config(dict(model.noise)), steps=5, scale=4.0, seed=3)
    name = kind.__name__[:4].lower()
    assert torch.equal(paint(model, None, seeds=[3], steps=5, scheduler=name), expected)
    assert torch.equal(paint(model, Energy(), seeds=[3], steps=5, scheduler=name), expected)


@pytest.mark.parametrize("name", ["folder", "velocity_folder"])
def test_without_an_energy_it_is_diffusers_own_pipeline(name: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue("model" if name == "folder" else "velocity_model")
    folder: Path = request.getfixturevalue(name)
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, safety_checker=None, feature_extractor=None, local_files_only=True, low_cpu_mem_usage=False
    )
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        PROMPT,
        negative_prompt="grass",
        width=96,
        height=64,
        num_inference_steps=8,
        guidance_scale=4.0,
        latents=initial_noise([torch.Generator().manual_seed(5)], (4, 8, 12)),
        output_type="pt",
    ).images
    ours = paint(model, None, seeds=[5], steps=8, negative="grass")
    assert (ours - theirs).abs().max() < 1e-3
    assert ours.std() > 0.01


def test_a_guided_picture_is_another_and_repeats_bit_for_bit(model: StableDiffusion1) -> None:
    guided = paint(model)
    assert not torch.equal(guided, paint(model, None))
    assert torch.equal(guided, paint(model))


def test_strength_zero_changes_nothing(model: StableDiffusion1) -> None:
    assert torch.equal(paint(model, strength=0.0), paint(model, None))
    assert torch.equal(paint(model, strength=0.0, mode="paper"), paint(model, None))


@pytest.mark.parametrize("options", [{}, {"scheduler": "ddpm"}, {"mode": "paper", "strength": 3000.0}])
@pytest.mark.parametrize("name", ["model", "velocity_model"])
def test_errors_fall_under_guidance(name: str, options: dict[str, object], request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(name)
    layout = place({"castle": LEFT, "rocket": 1 - LEFT})

    def last(strength: float) -> float:
        seen: list[Moment] = []
        paint(
            model,
            layout,
            steps=12,
            watch=seen.append,
            **{"strength": strength, **options} if strength else {**options, "strength": 0.0},
        )
        return sum([m.energies for m in seen if m.energies][-1].values())

    assert last(1.0) < last(0.0) - 0.05


def test_a_picture_does_not_depend_on_its_batch(model: StableDiffusion1) -> None:
    masks = torch.stack([LEFT, LEFT.flip(1), LEFT.T])
    prompts = [PROMPT, "a rocket on grass, a blue castle", PROMPT]
    together = paint(model, shape("castle", masks), prompts=prompts, seeds=[1, 2, 3], scheduler="ddpm")
    for row in range(3):
        alone = paint(model, shape("castle", masks[row]), prompts=prompts[row], seeds=[row + 1], scheduler="ddpm")
        assert (together[row] - alone[0]).abs().max() < 1e-4
    assert (together[0] - together[2]).abs().max() > 1e-2


def test_an_energy_without_gradient_is_refused(model: StableDiffusion1) -> None:
    constant = invented(lambda tape: Measure(torch.ones(tape.batch), torch.ones(tape.batch)))
    detached = invented(lambda tape: Measure(tape.map(Phrase("castle")).detach().mean((1, 2)), torch.ones(tape.batch)))
    own = torch.ones(1, requires_grad=True)
    elsewhere = invented(lambda tape: Measure(own * 2, torch.ones(tape.batch)))
    for energy in (constant, detached, elsewhere):
        with pytest.raises(EnergyError, match=r"no gradient.*\(invented\)"):
            paint(model, energy)
        with pytest.raises(EnergyError, match="no gradient"):
            paint(model, LAYOUT * 0.0 + energy)


def test_a_zero_gradient_is_legal(model: StableDiffusion1) -> None:
    flat = invented(lambda tape: Measure(0.0 * tape.map(Phrase("castle")).mean((1, 2)), torch.ones(tape.batch)))
    assert torch.equal(paint(model, flat), paint(model, None))


def test_inference_mode_is_refused(model: StableDiffusion1) -> None:
    with torch.inference_mode(), pytest.raises(RequestError, match="inference_mode"):
        paint(model)


def test_no_grad_around_it_does_not_matter(model: StableDiffusion1) -> None:
    with torch.no_grad():
        quiet = paint(model)
    assert torch.equal(quiet, paint(model))
    assert torch.is_grad_enabled()


def test_nothing_is_left_behind(model: StableDiffusion1) -> None:
    picture = paint(model)
    assert not picture.requires_grad
    assert all(not p.requires_grad and p.grad is None for p in model.network.parameters())
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.network.modules())


def test_the_watch_sees_every_step(model: StableDiffusion1) -> None:
    seen: list[Moment] = []
    picture = paint(
        model, shape("castle", LEFT) + centroid("rocket", 0.8, 0.3) + size("rocket", 0.2), watch=seen.append
    )
    assert [m.step for m in seen] == [1, 2, 3, 4, 5, 6]
    assert {m.steps for m in seen} == {6}
    assert seen[-1].progress == 1.0
    names = {"shape of castle", "centroid of rocket", "size of rocket"}
    assert [set(m.energies) for m in seen] == [names] * 5 + [set()]
    assert all(isinstance(value, float) for m in seen for value in m.energies.values())
    assert torch.equal(model.decode(seen[-1].latent), picture)
    previews = [m.preview() for m in seen]
    assert all(p.shape == picture.shape and p.min() >= 0 and p.max() <= 1 for p in previews)
    away = [(p - picture).abs().mean().item() for p in previews]
    assert away[-1] < 0.2 * away[0]


def test_raising_in_the_watch_stops_within_a_step(model: StableDiffusion1) -> None:
    steps: list[int] = []

    def stop(moment: Moment) -> None:
        steps.append(moment.step)
        if moment.step == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        paint(model, watch=stop)
    assert steps == [1, 2]
    assert torch.is_grad_enabled()
    assert all(not m._forward_hooks for m in model.network.modules())


@dataclass(frozen=True)
class Counting:
    """A model that tells how often its network ran with and without recording gradients."""

    model: StableDiffusion1
    passes: list[bool]

    def __getattr__(self, name: str) -> object:
        return getattr(self.model, name)

    def predict(self, latent: torch.Tensor, step: object, text: torch.Tensor) -> torch.Tensor:
        self.passes.append(latent.requires_grad)
        return self.model.predict(latent, step, text)


def test_each_step_is_two_passes_and_only_guided_ones_record_gradients(model: StableDiffusion1) -> None:
    counting = Counting(model, [])
    paint(counting)
    assert counting.passes == [True, False] * 5 + [False, False]


def test_a_satisfied_layout_rests_but_is_still_watched(model: StableDiffusion1) -> None:
    counting, seen = Counting(model, []), []
    content = shape("castle", LEFT, tolerance=1.0)
    paint(counting, content, watch=seen.append, steps=10)
    assert counting.passes == [True, False] * 2 + [False, False] * 8
    assert [bool(m.energies) for m in seen] == [True] * 7 + [False] * 3


def test_terms_without_weight_cost_nothing(model: StableDiffusion1) -> None:
    counting = Counting(model, [])
    paint(counting, LAYOUT * (lambda progress: float(progress < 0.3)))
    assert counting.passes == [True, False] * 2 + [False, False] * 4


def test_the_gradient_is_that_of_the_pass_used(model: StableDiffusion1) -> None:
    """One step by hand: plain + scale * (conditional - plain) + the gradient of that same pass, then DDIM."""
    trajectory = model.steps(4, "ddim")
    step, latent = trajectory.steps[0], noise(0, 4, 8, 12)
    words = model.words([PROMPT], LAYOUT.phrases)
    text, nothing = model.encode([PROMPT]), model.encode([""])
    leaf = latent.clone().requires_grad_()
    with listening(model.network, model.layers(leaf), words) as tape:
        conditional = model.predict(leaf, step, text)
    (gradient,) = torch.autograd.grad(LAYOUT(tape).energy.sum(), leaf)
    plain = model.predict(latent, step, nothing)
    correction = 4.0 * (conditional.detach() - plain)
    push = 0.7 * correction.square().mean().sqrt() * gradient / gradient.square().mean().sqrt()
    expected = trajectory.advance(step, latent, plain + correction + push, [])

    seen: list[Moment] = []
    sample(
        model,
        latent,
        Texts(text, nothing, words),
        model.steps(4, "ddim"),
        scale=4.0,
        noise=[],
        layout=as_layout(LAYOUT),
        guidance=Relative(0.7),
        watch=seen.append,
    )
    assert torch.allclose(seen[0].latent, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 100}, "multiples of 16, such as 96 x 64"),
        ({"height": 0}, "multiples of 16"),
        ({"scheduler": "heun"}, "no scheduler 'heun': choose one of ddim, ddpm"),
        ({"steps": 0}, "walks 1 to 1000"),
        ({"steps": 1001}, "walks 1 to 1000"),
        ({"mode": "strong"}, "choose relative or paper"),
        ({"strength": 1.5}, "it is 0 to 1"),
        ({"seeds": []}, "1 prompts and 0 seeds"),
        ({"prompts": [PROMPT] * 2, "seeds": [1, 2, 3]}, "2 prompts and 3 seeds"),
    ],
)
def test_what_cannot_be_painted_is_said(model: StableDiffusion1, options: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        paint(model, **options)


def test_seeds_and_prompts_spread(model: StableDiffusion1) -> None:
    assert paint(model, None, seeds=[1, 2]).shape == (2, 3, 64, 96)
    same = paint(model, None, prompts=["a castle", "a castle"], seeds=[4], width=64)
    assert same.shape == (2, 3, 64, 64)
    assert torch.allclose(same[0], same[1], atol=1e-5)
