# SPDX-License-Identifier: MIT
"""Every scheduler leads an ideal network to its picture, and is diffusers' own pipeline with that scheduler."""

import math
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler, StableDiffusionPipeline

from sg_core import RequestError, generate
from sg_core.models.schedulers import FLOW_SCHEDULERS, SCHEDULERS, timetable
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from sg_core.noise import initial_noise
from sg_core.parametrisation import PARAMETRISATIONS

PROMPT = "a castle and a rocket"
NOISE = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False).config
FLOW = FlowMatchEulerDiscreteScheduler(shift=3.0).config
KINDS = [(name, kind) for name in SCHEDULERS for kind in ("epsilon", "v_prediction")]
KINDS += [(name, "flow") for name in FLOW_SCHEDULERS]


def told(name: str, kind: str, count: int):
    if kind == "flow":
        return timetable(FLOW, name, count, schedulers=FLOW_SCHEDULERS)
    return timetable({**NOISE, "prediction_type": kind}, name, count)


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_an_ideal_network_is_led_to_its_picture(name: str, kind: str) -> None:
    """It always says the noise that lies over one picture; and every preview is that picture."""
    walk, conversion = told(name, kind, 12), PARAMETRISATIONS[kind]
    picture, noise = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    latent, generators = noise * walk.spread, [torch.Generator().manual_seed(1)]
    assert len(walk.steps) == 12
    assert [step.index for step in walk.steps] == list(range(12))
    for step in walk.steps:
        seen = latent * step.shrink
        if step.shrink != 1.0:
            assert torch.allclose(seen, walk.scheduler.scale_model_input(latent, torch.tensor(step.time)), atol=1e-5)
        residue = (seen - step.alpha * picture) / step.sigma
        output = residue - picture if kind == "flow" else conversion.from_noise(residue, seen, step.alpha, step.sigma)
        assert (conversion.to_clean(output, seen, step.alpha, step.sigma) - picture).abs().max() < 1e-3
        latent = walk.advance(step, latent, output, generators)
    assert (latent - picture).abs().max() < 0.05


@pytest.mark.parametrize("name", SCHEDULERS)
def test_latents_are_not_cut_at_one_where_nobody_says_so(name: str) -> None:
    """The configuration of PixArt's own solver says nothing of it, and diffusers' other schedulers would."""
    silent = {key: value for key, value in NOISE.items() if key != "clip_sample"}
    picture, noise = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    walk, cut = timetable(silent, name, 12), timetable({**silent, "clip_sample": True}, name, 12)
    ends = []
    for steps in (walk, cut):
        latent = noise * steps.spread
        for step in steps.steps:
            seen = latent * step.shrink
            output = (seen - step.alpha * picture) / step.sigma
            latent = steps.advance(step, latent, output, [torch.Generator().manual_seed(1)])
        ends.append(float((latent - picture).abs().max()))
    assert ends[0] < 0.05 and (ends[1] > 1.0) == (name in ("ddim", "ddpm", "lcm"))


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_number_of_steps_stays_within_the_training(name: str, spacing: str) -> None:
    """With an offset of 1, as Stable Diffusion has it, leading steps would begin beyond the last if all are walked."""
    config = {**NOISE, "num_train_timesteps": 60, "steps_offset": 1, "timestep_spacing": spacing}
    limit = 50 if name == "lcm" else 60  # as a distilled model says of itself
    for count in range(1, limit + 1):
        walk = timetable(config, name, count)
        assert len(walk.steps) == count
        assert all(0 <= step.time <= 59 for step in walk.steps), count


@pytest.mark.parametrize("name", SCHEDULERS)
def test_without_an_energy_it_is_diffusers_pipeline_with_that_scheduler(
    name: str, model: StableDiffusion1, folder: Path
) -> None:
    kind, changes = SCHEDULERS[name]
    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, safety_checker=None, feature_extractor=None, local_files_only=True, low_cpu_mem_usage=False
    )
    pipeline.scheduler = kind.from_config({**pipeline.scheduler.config, **changes})
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(5)
    theirs = pipeline(
        PROMPT,
        width=96,
        height=64,
        num_inference_steps=4,
        guidance_scale=4.0,
        latents=initial_noise([generator], (4, 8, 12)),
        generator=[generator],
        output_type="pt",
    ).images
    ours = generate(model, PROMPT, seeds=[5], width=96, height=64, steps=4, scale=4.0, scheduler=name)
    assert (ours - theirs).abs().max() < 1e-3
    assert ours.std() > 0.01


def test_a_flow_begins_with_nothing_but_noise() -> None:
    first = told("euler", "flow", 4).steps[0]
    assert (first.alpha, first.sigma) == (0.0, 1.0)
    assert PARAMETRISATIONS["flow"].slope(first.alpha, first.sigma) == 100.0
    assert PARAMETRISATIONS["flow"].slope(0.5, 0.5) == 2.0


TWO_SPACINGS = {**NOISE, "use_exponential_sigmas": True, "use_karras_sigmas": True}


def test_karras_spacing_takes_the_place_of_another() -> None:
    own, plain = (told_by(config, "dpm++ 2m karras") for config in ({**NOISE, "use_exponential_sigmas": True}, NOISE))
    assert own == plain


def told_by(config: Mapping, name: str) -> list[float]:
    return [step.sigma for step in timetable(config, name, 4).steps]


@pytest.mark.parametrize(
    ("config", "name", "count", "schedulers", "said"),
    [
        (NOISE, "dddim", 4, SCHEDULERS, "choose one of ddim, ddpm, euler, euler a"),
        (FLOW, "ddpm", 4, FLOW_SCHEDULERS, "choose one of ddim, euler, dpm"),
        (NOISE, "ddim", 1001, SCHEDULERS, "walks 1 to 1000"),
        (NOISE, "lcm", 51, SCHEDULERS, "walks 1 to 50"),
        (NOISE, "euler", 0, SCHEDULERS, "walks 1 to 1000"),
        (TWO_SPACINGS, "euler", 4, SCHEDULERS, "cannot be walked by euler"),
    ],
)
def test_what_cannot_be_walked_is_refused(
    config: Mapping, name: str, count: int, schedulers: Mapping, said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        timetable(config, name, count, schedulers=schedulers)


@pytest.mark.parametrize("name", ["ddim", "euler", "unipc", "lcm"])
def test_a_single_step_of_a_flow_whose_end_is_moved(name: str) -> None:
    """As Qwen-Image's is: of one step there is no end to move."""
    steps = timetable({**FLOW, "shift_terminal": 0.02}, name, 1, schedulers=FLOW_SCHEDULERS).steps
    assert len(steps) == 1 and all(math.isfinite(value) for value in (steps[0].time, steps[0].alpha, steps[0].sigma))
