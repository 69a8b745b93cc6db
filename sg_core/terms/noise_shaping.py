# SPDX-License-Identifier: MIT
"""Shaping the noise that a picture begins with, so that its layout is there from the first step.

A few steps down the gradient of the energy, each of a fixed length. Noise that is pushed for long is noise no more: its
low frequencies grow, and the scene changes with them. So there are three steps at most, and what low frequencies gained
beyond a bound is taken back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sg_core.errors import RequestError

MOST = 3
LOW = 0.125  # cycles a cell, a quarter of what a grid can hold: there lies the layout


@dataclass(frozen=True, eq=False)
class NoiseShaping:
    """How the initial noise is shaped.

    Attributes:
        iterations: 0 (not at all) to 3; each costs a forward and a backward pass.
        length: RMS of each step, in units of the noise.
        bound: largest power of the low frequencies, against those of the noise as it was drawn.
        inside: mask of where the noise may change, as for ``energy.shape``; None is everywhere, backdrops included.
    """

    iterations: int
    length: float = 0.15
    bound: float = 2.0
    inside: Any = None

    def __post_init__(self) -> None:
        if not 0 <= self.iterations <= MOST:
            raise RequestError(f"the initial noise may be shaped 0 to {MOST} times, not {self.iterations}")


def shaped(noise: Tensor, shaping: NoiseShaping, gradient: Callable[[Tensor], Tensor]) -> Tensor:
    """Noise (batch, channel, y, x) of the same mean and spread, row by row, whose energy is lower.

    Args:
        gradient: of each row's energy by the noise.
    """
    current = noise
    for _ in range(shaping.iterations):
        slope = gradient(current)
        steepness = slope.square().flatten(1).mean(1).sqrt().clamp_min(1e-30)
        current = current - shaping.length * slope / steepness.view(-1, 1, 1, 1)
        current = like(bounded(current, noise, shaping.bound), noise)
    return current


def bounded(noise: Tensor, drawn: Tensor, bound: float) -> Tensor:
    """The noise with no more than ``bound`` times the low-frequency power of what was drawn, row by row."""
    spectrum, power = torch.fft.rfft2(noise), low_power(drawn)
    excess = (low_power(noise) / power.clamp_min(1e-12) / bound).clamp_min(1.0).sqrt().view(-1, 1, 1, 1)
    low = lowest(noise)
    limited: Tensor = torch.fft.irfft2(torch.where(low, spectrum / excess, spectrum), noise.shape[-2:])
    return limited


def low_power(noise: Tensor) -> Tensor:
    """Power of the low frequencies of each row, (batch,)."""
    power: Tensor = torch.fft.rfft2(noise).abs().square() * lowest(noise)
    return power.flatten(1).sum(1)


def lowest(noise: Tensor) -> Tensor:
    """Which frequencies of ``rfft2`` are low: (y, x // 2 + 1)."""
    rows, columns = noise.shape[-2:]
    y, x = torch.fft.fftfreq(rows, device=noise.device), torch.fft.rfftfreq(columns, device=noise.device)
    return torch.hypot(y[:, None].expand(-1, len(x)), x.expand(len(y), -1)) <= LOW


def like(noise: Tensor, drawn: Tensor) -> Tensor:
    """The noise with each row's mean and spread those of what was drawn."""
    axes = (1, 2, 3)
    centred = noise - noise.mean(axes, keepdim=True)
    return centred * drawn.std(axes, keepdim=True) / noise.std(axes, keepdim=True) + drawn.mean(axes, keepdim=True)
