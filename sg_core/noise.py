# SPDX-License-Identifier: MIT
"""The noise that pictures begin as: of a seed, or somewhere on the way from one seed's to another's.

Always drawn on the CPU in float32, so that a seed means one noise anywhere. On the way between two Gaussian noises only
the great circle keeps their length, and with it what a model was trained on: a straight line would pass nearer to zero
(slerp: Shoemake, "Animating Rotation with Quaternion Curves", 1985).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sg_core.errors import RequestError

PARALLEL = 1e-6  # radians; nearer noises are one, and have no circle through them


def initial_noise(noise: Sequence[torch.Generator], shape: tuple[int, int, int]) -> Tensor:
    """(batch, channel, y, x): one generator a row, on the CPU in float32, so that a seed means one noise anywhere."""
    return torch.stack([torch.randn(shape, generator=generator) for generator in noise])


@dataclass(frozen=True)
class Variation:
    """Noises turned towards those of another seed by ``amount``: 0 leaves them alone bit for bit, 1 is the other's."""

    amount: float
    other: torch.Generator

    def turned(self, noise: Tensor) -> Tensor:
        """Each row of a noise (batch, channel, y, x) towards the next one that the other seed draws."""
        if self.amount == 0.0:
            return noise
        other = initial_noise([self.other], (noise.shape[1], noise.shape[2], noise.shape[3]))
        return slerp(noise, other.expand_as(noise), self.amount)


def variation_towards(seed: int, amount: float) -> Variation:
    """The variation of a picture towards that of ``seed``. Raises RequestError for an amount outside 0 to 1."""
    if not 0.0 <= amount <= 1.0:
        raise RequestError(f"a variation of {amount} was asked for: it is 0 to 1")
    return Variation(amount, torch.Generator("cpu").manual_seed(seed))


def varied(noise: Tensor, seed: int, amount: float) -> Tensor:
    """A first noise (batch, channel, y, x) turned towards that of ``seed``. Raises RequestError as above."""
    return variation_towards(seed, amount).turned(noise)


def slerp(first: Tensor, second: Tensor, amount: float) -> Tensor:
    """Spherical interpolation of two noises (batch, channel, y, x), row by row; computed in float64."""
    ends = first.flatten(1).double(), second.flatten(1).double()
    angle = torch.acos(torch.cosine_similarity(*ends, dim=1).clamp(-1.0, 1.0))[:, None]
    weights = torch.sin((1.0 - amount) * angle), torch.sin(amount * angle)
    turned = (weights[0] * ends[0] + weights[1] * ends[1]) / torch.sin(angle).clamp_min(PARALLEL)
    return torch.where(angle < PARALLEL, ends[0], turned).to(first.dtype).view_as(first)
