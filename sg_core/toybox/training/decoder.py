# SPDX-License-Identifier: MIT
"""The decoder: from what cells mean to a crisp picture, from true latents and from those the denoiser left."""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sg_core.toybox.components import Parts
from sg_core.toybox.latents import CELL
from sg_core.toybox.segmenter import Nested, Segmenter
from sg_core.toybox.training.denoiser import DenoiserTraining
from sg_core.toybox.training.judge import JudgeTraining
from sg_core.toybox.training.optimise import Learner
from sg_core.toybox.training.pool import Pool, tensor

RENEWED = 2
NOISE = 0.3
WINDOW = 8  # cells of a crop's side; every third step sees whole pictures
PERCEPTION = 0.1
OWN_AFTER = 1.2  # core-hours of the denoiser before its own latents are worth learning from
OWN, REPAINTED = 0.5, 128
PERCEIVER_AFTER = 300  # steps of the Judge before what it sees says anything


@dataclass
class DecoderTraining:
    """Pixels, edges and what a Judge's first layers see (Johnson et al., 2016), from latents with some noise in them.

    The Judge is the one in training beside, as it was at the turn's beginning. Once the denoiser is good enough half
    the latents are its own: what it leaves undecided, the decoder learns to decide.
    """

    parts: Parts
    pool: Pool
    learner: Learner
    denoiser: DenoiserTraining
    judge: JudgeTraining
    perceiver: Segmenter | None = None

    @property
    def device(self) -> torch.device:
        """Where it is trained."""
        device: torch.device = self.parts.vae.device
        return device

    @property
    def listens(self) -> bool:
        """Whether the denoiser's own latents are learned from."""
        return self.denoiser.learner.spent > OWN_AFTER

    def prepare(self) -> None:
        """Before a turn: what the denoiser leaves now, and the Judge as it sees now."""
        if self.listens:
            self.denoiser.repaint(REPAINTED)
        if self.judge.learner.steps > PERCEIVER_AFTER:
            with self.judge.learner.averaged():
                self.perceiver = deepcopy(self.judge.judge).requires_grad_(False)

    def loss(self) -> tuple[Tensor, int]:
        """The loss of one batch: whole pictures, or three times as many quarters."""
        pool, batch = self.pool, self.learner.lesson.batch
        if pool.pictures is None or pool.painted is None:
            raise ValueError("the decoder learns from the square pool, which alone keeps pictures")
        pool.renew(RENEWED)
        full = self.learner.steps % 3 == 2
        index = pool.rows(batch if full else 3 * batch, len(pool.pictures))
        latents = tensor(pool.latents[index], self.device)
        if self.listens:
            mine = torch.rand(len(index), 1, 1, 1, device=self.device) < OWN
            latents = torch.where(mine, tensor(pool.painted[index], self.device), latents)
        rgb = tensor(pool.pictures[index], self.device) / 255
        if not full:
            latents, rgb = crops(latents, rgb)
        spread = NOISE * torch.rand(len(latents), 1, 1, 1, device=self.device).square()
        noisy = (latents + spread * torch.randn_like(latents)).to(self.learner.precision)
        painted = self.parts.vae.decoder(noisy).float() / 2 + 0.5
        total = unlike(painted, rgb)
        return total + PERCEPTION * perceived(self.perceiver.network, painted, rgb) if self.perceiver else total, batch


def perceived(network: nn.Module, painted: Tensor, rgb: Tensor) -> Tensor:
    """How differently the first layers of a nested Judge see two batches of pictures in 0..1."""
    if not isinstance(network, Nested):
        raise TypeError("pictures are compared by what a nested Judge sees")
    x = network.stem(torch.cat([painted, rgb]).to(network.stem.weight.dtype) * 2 - 1)
    total = torch.zeros((), device=rgb.device)
    for layer in (nn.Identity(), *network.down[:2]):
        x = layer(x)
        one, other = x.float().chunk(2)
        total = total + (one - other).abs().mean() / other.detach().std()
    return total / 3


def unlike(painted: Tensor, rgb: Tensor) -> Tensor:
    """Absolute and squared differences of pixels, and of neighbours' differences."""
    error = painted - rgb
    edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    total: Tensor = error.abs().mean() + 2 * error.square().mean() + 0.5 * edges
    return total


def crops(latents: Tensor, rgb: Tensor) -> tuple[Tensor, Tensor]:
    """A random window of each, cut at whole cells."""
    rows, columns = (min(WINDOW, side) for side in latents.shape[-2:])
    tops = np.random.randint(0, latents.shape[-2] - rows + 1, len(latents)).tolist()
    lefts = np.random.randint(0, latents.shape[-1] - columns + 1, len(latents)).tolist()
    spots = list(zip(tops, lefts, strict=True))
    cut = [picture[:, y : y + rows, x : x + columns] for picture, (y, x) in zip(latents, spots, strict=True)]
    samples = [
        picture[:, CELL * y : CELL * (y + rows), CELL * x : CELL * (x + columns)]
        for picture, (y, x) in zip(rgb, spots, strict=True)
    ]
    return torch.stack(cut), torch.stack(samples)
