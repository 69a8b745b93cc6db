# SPDX-License-Identifier: MIT
"""From an energy's gradient to a change of the network's output, in two ways.

``Paper`` adds v * sigma * gradient to the noise, on the published steps (Epstein et al. 2023, section 3.3 and 4).
``Relative`` measures the gradient against the classifier-free correction, as FreeDoM does (Yu et al. 2023): one
strength then fits every prompt, term and model.
"""

import math
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from sg_core.energy import Reading
from sg_core.models.model import Step
from sg_core.parametrisation import Parametrisation


@dataclass(frozen=True)
class Memory:
    """What a run remembers of its guided steps, row by row, all (batch,): a row never knows its batch.

    ``energy`` is the latest, ``highest`` and ``steepest`` are the largest energy and gradient (RMS) so far; ``calm``
    counts steps on end with every error in tolerance. ``gradient`` is the latest, (batch, channel, y, x).
    """

    energy: Tensor
    highest: Tensor
    steepest: Tensor
    calm: Tensor
    gradient: Tensor | None = None

    def after(self, reading: Reading) -> "Memory":
        """What is remembered once an energy was read."""
        energy = reading.energy.detach()
        calm = torch.where(reading.worst <= 1.0, self.calm + 1, 0)
        return replace(self, energy=energy, highest=torch.maximum(self.highest, energy), calm=calm)

    def along(self, gradient: Tensor) -> "Memory":
        """What is remembered once its gradient is known."""
        return replace(self, steepest=torch.maximum(self.steepest, rms(gradient)), gradient=gradient)


def nothing_yet(like: Tensor) -> Memory:
    """The memory before the first step, one row for each of ``like`` (batch, ...)."""
    zero = like.new_zeros(like.shape[0])
    return Memory(energy=zero, highest=zero, steepest=zero, calm=zero)


class Guidance(Protocol):
    """When and how an energy changes the network's output."""

    def acts(self, step: Step) -> bool:
        """Whether the energy is looked at in this step."""

    def repeats(self, step: Step) -> bool:
        """Whether the latest gradient is pushed along once more in this step, in which no energy is looked at."""

    def rests(self, memory: Memory) -> Tensor:
        """Rows that have what they wanted, (batch,) bool: they are watched and left alone."""

    def push(self, gradient: Tensor, correction: Tensor, step: Step, kind: Parametrisation, memory: Memory) -> Tensor:
        """What to add to the output. ``correction`` is the classifier-free one, scale * (conditional - plain)."""


@dataclass(frozen=True)
class Paper:
    """The noise gains v * sigma * gradient, as published.

    The first 3/16 of the steps are guided, then every other until 31/32, and the last always runs free.
    """

    weight: float

    def acts(self, step: Step) -> bool:
        """The published steps."""
        first, end = math.ceil(3 * step.total / 16), 31 * step.total // 32
        return step.index < end and (step.index < first or (step.index - first) % 2 == 0)

    def repeats(self, step: Step) -> bool:
        """Never."""
        return False

    def rests(self, memory: Memory) -> Tensor:
        """Never."""
        return torch.zeros_like(memory.calm, dtype=torch.bool)

    def push(self, gradient: Tensor, correction: Tensor, step: Step, kind: Parametrisation, memory: Memory) -> Tensor:
        """The published change of noise, carried over to what the network predicts."""
        return self.weight * step.sigma * kind.slope(step.alpha, step.sigma) * gradient


@dataclass(frozen=True)
class Relative:
    """The RMS of the change is ``strength`` times the RMS of the classifier-free correction, row by row.

    Attributes:
        strength: 0 (nothing) to 1 (as large as the correction).
        until: progress at which guidance ends; by then the layout is settled.
        floor: gradients below this fraction of the row's largest are not amplified any further, so a satisfied
            energy can fall silent.
        decay: the change also shrinks as (energy / its largest)^decay, not below an energy of 0; 0 turns that off.
        clip: largest RMS of the change, in units of the latent's noise.
        patience: steps on end within tolerance after which a row rests; it is woken when an error grows again.
        every: the energy is looked at in every so many steps; those between go on along the gradient of the latest.
    """

    strength: float
    until: float = 0.7
    floor: float = 0.1
    decay: float = 0.25
    clip: float = 1.0
    patience: int = 2
    every: int = 1

    def acts(self, step: Step) -> bool:
        """The early steps, and never the last."""
        return self._early(step) and step.index % self.every == 0

    def repeats(self, step: Step) -> bool:
        """The early steps between those."""
        return self._early(step) and step.index % self.every != 0

    def _early(self, step: Step) -> bool:
        return step.progress < self.until and step.index < step.total - 1

    def rests(self, memory: Memory) -> Tensor:
        """Rows within tolerance for ``patience`` steps on end."""
        return memory.calm >= self.patience

    def push(self, gradient: Tensor, correction: Tensor, step: Step, kind: Parametrisation, memory: Memory) -> Tensor:
        """Along the gradient, as large as the correction allows; of a row at rest nothing changes."""
        share = memory.energy / memory.highest.clamp_min(1e-12)
        eased = torch.where(memory.energy < 0, 1.0, share) ** self.decay  # below nothing there is no share of the most
        length = (self.strength * eased * rms(correction)).clamp(max=self.clip) * ~self.rests(memory)
        steepness = torch.maximum(rms(gradient), self.floor * memory.steepest).clamp_min(1e-30)
        sign = math.copysign(1.0, kind.slope(step.alpha, step.sigma))
        return sign * (length / steepness).view(-1, *[1] * (gradient.ndim - 1)) * gradient


def rms(rows: Tensor) -> Tensor:
    """Root of the mean square of each row: (batch, ...) -> (batch,)."""
    return rows.square().flatten(1).mean(1).sqrt()
