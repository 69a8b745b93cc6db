# SPDX-License-Identifier: MIT
"""Trajectories of diffusers' DDIM and DDPM schedulers (Song et al. 2021; Ho et al. 2020)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor

from sg_core.errors import RequestError
from sg_core.models.model import Step

SCHEDULERS: Mapping[str, Any] = MappingProxyType({"ddim": DDIMScheduler, "ddpm": DDPMScheduler})


@dataclass(frozen=True)
class DiscreteTrajectory:
    """Steps over a diffusers scheduler whose timesteps are set."""

    scheduler: Any
    steps: tuple[Step, ...]

    def advance(self, step: Step, latent: Tensor, output: Tensor, noise: Sequence[torch.Generator]) -> Tensor:
        """One scheduler step. DDPM draws noise on the CPU, row by row: a picture does not depend on its batch."""
        extra = {"generator": list(noise)} if isinstance(self.scheduler, DDPMScheduler) else {}
        advanced: Tensor = self.scheduler.step(output, step.time, latent, **extra).prev_sample
        return advanced


def trajectory(config: Mapping[str, Any], name: str, count: int) -> DiscreteTrajectory:
    """``count`` steps of the scheduler called ``name``, with the model's own noise schedule.

    Raises RequestError when there is no such scheduler or the model was trained with fewer steps.
    """
    if name not in SCHEDULERS:
        raise RequestError(f"there is no scheduler {name!r}: choose one of {', '.join(SCHEDULERS)}")
    scheduler = SCHEDULERS[name].from_config(dict(config))
    limit = scheduler.config.num_train_timesteps
    if not 1 <= count <= limit:
        raise RequestError(f"{count} steps were asked for: this model walks 1 to {limit}")
    scheduler.set_timesteps(count)
    times = [int(time) for time in scheduler.timesteps]
    alphas = [float(scheduler.alphas_cumprod[time]) for time in times]
    steps = tuple(
        Step(i, count, time, alpha=a**0.5, sigma=(1 - a) ** 0.5)
        for i, (time, a) in enumerate(zip(times, alphas, strict=True))
    )
    return DiscreteTrajectory(scheduler, steps)
