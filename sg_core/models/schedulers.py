# SPDX-License-Identifier: MIT
"""Timetables: diffusers' own schedulers under the names that artists know, as steps from noise to picture.

    ddim            Song et al. 2021              ddpm            Ho et al. 2020
    euler, euler a  Karras et al. 2022            unipc           Zhao et al. 2023
    dpm++ 2m        Lu et al. 2022                lcm             Luo et al. 2023

Three kinds of schedulers lie behind one table: those that count steps of the training, those that count in noise
levels and let the latent grow with them, and those of flows.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_euler_ancestral_discrete import EulerAncestralDiscreteScheduler
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from diffusers.schedulers.scheduling_flow_match_lcm import FlowMatchLCMScheduler
from diffusers.schedulers.scheduling_lcm import LCMScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from torch import Tensor

from sg_core.errors import RequestError
from sg_core.models.model import Step

Kind = tuple[Any, Mapping[str, Any]]
"""A scheduler's class, and what differs from the model's own configuration."""

KARRAS = MappingProxyType({"use_karras_sigmas": True})
FLOW = MappingProxyType({"prediction_type": "flow_prediction", "use_flow_sigmas": True})
OTHER_SPACINGS = ("use_exponential_sigmas", "use_beta_sigmas")
NONE: Mapping[str, Any] = MappingProxyType({})

SCHEDULERS: Mapping[str, Kind] = MappingProxyType(
    {
        "ddim": (DDIMScheduler, NONE),
        "ddpm": (DDPMScheduler, NONE),
        "euler": (EulerDiscreteScheduler, NONE),
        "euler a": (EulerAncestralDiscreteScheduler, NONE),
        "dpm++ 2m": (DPMSolverMultistepScheduler, NONE),
        "dpm++ 2m karras": (DPMSolverMultistepScheduler, KARRAS),
        "unipc": (UniPCMultistepScheduler, NONE),
        "lcm": (LCMScheduler, NONE),
    }
)
FLOW_SCHEDULERS: Mapping[str, Kind] = MappingProxyType(
    {
        "ddim": (FlowMatchEulerDiscreteScheduler, NONE),  # of a flow, DDIM's step is Euler's
        "euler": (FlowMatchEulerDiscreteScheduler, NONE),
        "dpm++ 2m": (DPMSolverMultistepScheduler, FLOW),
        "unipc": (UniPCMultistepScheduler, FLOW),
        "lcm": (FlowMatchLCMScheduler, NONE),
    }
)


@dataclass(frozen=True)
class Timetable:
    """Steps over a diffusers scheduler whose timesteps are set. It is good for one walk: schedulers remember.

    The first latent is ``spread`` times unit noise.
    """

    scheduler: Any
    steps: tuple[Step, ...]
    spread: float
    draws: bool

    def advance(self, step: Step, latent: Tensor, output: Tensor, noise: Sequence[torch.Generator]) -> Tensor:
        """One scheduler step. Noise is drawn on the CPU, row by row: a picture does not depend on its batch."""
        extra = {"generator": list(noise)} if self.draws else {}
        if hasattr(self.scheduler, "set_begin_index") and self.scheduler.step_index is None:
            # else diffusers looks for where a walk begins by its timestep, which the last of many Karras steps share
            self.scheduler.set_begin_index(step.index)
        advanced: Tensor = self.scheduler.step(output, step.time, latent, return_dict=False, **extra)[0]
        return advanced


def timetable(
    config: Mapping[str, Any],
    name: str,
    count: int,
    *,
    schedulers: Mapping[str, Kind] = SCHEDULERS,
    spacing: Mapping[str, Any] = NONE,
) -> Timetable:
    """``count`` steps of the scheduler called ``name``, with the model's own noise schedule.

    Args:
        config: of the model's own scheduler.
        schedulers: ``SCHEDULERS``, or ``FLOW_SCHEDULERS`` for a model that predicts a flow.
        spacing: what else ``set_timesteps`` is told, such as the ``mu`` of a flow shifted by the picture's size.

    Raises RequestError when there is no such scheduler or the model was trained with fewer steps.
    """
    if name not in schedulers:
        raise RequestError(f"there is no scheduler {name!r}: choose one of {', '.join(schedulers)}")
    kind, changes = schedulers[name]
    if count == 1:  # whose end cannot be moved: diffusers would divide 0 by 0
        config = {**config, "shift_terminal": None}
    try:
        scheduler = configured(kind, config, changes, flow=schedulers is FLOW_SCHEDULERS)
    except (ValueError, NotImplementedError, ImportError) as error:  # such as beta spacing without scipy
        raise RequestError(f"this model's noise cannot be walked by {name}: {error}") from error
    limit = scheduler.config.num_train_timesteps
    if name == "lcm":
        limit = min(limit, scheduler.config.get("original_inference_steps") or limit)
    if not 1 <= count <= limit:
        raise RequestError(f"{count} steps were asked for: this model walks 1 to {limit}")
    named = inspect.signature(scheduler.set_timesteps).parameters
    options = {name: value for name, value in spacing.items() if name in named}
    if changes.get("use_flow_sigmas"):  # such schedulers space steps themselves
        options.pop("sigmas", None)
    scheduler.set_timesteps(count, **options)
    if scheduler.config.get("steps_offset") and scheduler.timesteps.max() >= scheduler.config.num_train_timesteps:
        return timetable({**config, "steps_offset": 0}, name, count, schedulers=schedulers, spacing=spacing)
    _trim(scheduler, count)
    return read(scheduler)


def _trim(scheduler: Any, count: int) -> None:
    """Of some numbers of steps, such as 61 of 1000, trailing spacing makes one too many by a rounding error: at -1."""
    if len(scheduler.timesteps) > count:
        scheduler.timesteps = scheduler.timesteps[:count]
        if hasattr(scheduler, "sigmas"):
            scheduler.sigmas = torch.cat([scheduler.sigmas[:count], scheduler.sigmas[-1:]])


def configured(kind: Any, config: Mapping[str, Any], changes: Mapping[str, Any], *, flow: bool) -> Any:
    """A scheduler of this class over a model's own noise schedule."""
    own = {name: value for name, value in config.items() if not name.startswith("_")}  # notes that undo changes
    if flow:  # one number under two names
        shift = own.pop("flow_shift", None) or own.pop("shift", None) or 1.0
        own["flow_shift" if changes.get("use_flow_sigmas") else "shift"] = shift
    if "clip_sample" in inspect.signature(kind.__init__).parameters:
        own.setdefault("clip_sample", False)  # or diffusers cuts latents at 1, which only pixels end at
    if changes.get("use_karras_sigmas"):  # one way to space noise levels, of which diffusers takes no two
        own = {name: value for name, value in own.items() if name not in OTHER_SPACINGS}
    return kind.from_config({**own, **changes})


def read(scheduler: Any) -> Timetable:
    """The timetable of any scheduler that knows its timesteps: latent = alpha * clean + sigma * noise at each."""
    times = [time.item() for time in scheduler.timesteps]
    levels = _noise_levels(scheduler, times)
    grows = "is_scale_input_called" in vars(scheduler)  # Euler and its kin let the latent grow with its noise
    if grows:
        scheduler.is_scale_input_called = True  # we shrink the latent ourselves, and diffusers would warn at every step
    steps = tuple(
        Step(i, len(times), time, alpha, sigma, alpha if grows else 1.0)
        for i, (time, (alpha, sigma)) in enumerate(zip(times, levels, strict=True))
    )
    draws = "generator" in inspect.signature(scheduler.step).parameters
    return Timetable(scheduler, steps, float(scheduler.init_noise_sigma) if grows else 1.0, draws)


def _noise_levels(scheduler: Any, times: Sequence[float]) -> list[tuple[float, float]]:
    """(alpha, sigma) of each step."""
    if not hasattr(scheduler, "sigmas"):
        alphas = [float(scheduler.alphas_cumprod[int(time)]) for time in times]
        return [(a**0.5, (1 - a) ** 0.5) for a in alphas]
    sigmas = [float(sigma) for sigma in scheduler.sigmas[: len(times)]]
    config = scheduler.config
    if "prediction_type" not in config or config.get("use_flow_sigmas"):
        return [(1 - sigma, sigma) for sigma in sigmas]
    return [((1 + s * s) ** -0.5, s * (1 + s * s) ** -0.5) for s in sigmas]
