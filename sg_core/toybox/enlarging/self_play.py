# SPDX-License-Identifier: MIT
"""The denoiser told apart from itself: true scenes become likelier than what it paints under the same captions.

Direct discriminative optimisation (Zheng et al., 2025, arXiv 2503.01103). Velocities alone teach a small denoiser to
cover all that it is unsure of: two halves of two things, a third boat. The ratio of its likelihood to that of a frozen
copy is a discriminator of true scenes and the copy's pictures, and what that learns the denoiser has learned. The copy
paints as pictures are painted, in few steps and guided, since it is those pictures that are to become true ones.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.toybox.enlarging.frozen_model import FrozenModel, sampler_times
from sg_core.toybox.training.denoiser import EMPTY_CAPTIONS, DenoiserTraining, draw_times
from sg_core.toybox.training.pool import Pool, tensor

BETA = 150.0  # the discriminator's logit is so much times the difference of mean squared errors
ROUND = 400  # steps with one frozen copy
STEPS, SCALES = (8, 12, 16), (3.0, 5.0)  # how it paints: steps, and from which scale to which
CHUNK, STORED = 48, 2048  # pictures that it paints at a time, and that are kept
RENEWED, FILLING = 16, 4  # steps from one chunk to the next, and while there are fewer than are kept


@dataclass
class OwnPictures:
    """What a model painted under captions of a pool's scenes, beside those scenes; the oldest replaced.

    `own` and `true` are latents (n, channel, y, x), `tokens` (n, length).
    """

    pool: Pool
    model: FrozenModel
    size: int
    drawn: int = 0
    own: Tensor = field(init=False)
    true: Tensor = field(init=False)
    tokens: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.own = torch.zeros(self.size, *self.pool.latents.shape[1:], device=self.model.device)
        self.true = torch.zeros_like(self.own)
        self.tokens = torch.zeros(self.size, self.pool.tokens.shape[1], dtype=torch.int64, device=self.model.device)

    @property
    def filled(self) -> int:
        """How many pictures are there."""
        return min(self.drawn, self.size)

    @property
    def full(self) -> bool:
        """Whether there are as many as are kept."""
        return self.drawn >= self.size

    def renew(self) -> None:
        """CHUNK pictures more in place of the oldest, all in as many steps and at one scale."""
        self.pool.renew(CHUNK)
        index, device = self.pool.rows(CHUNK), self.model.device
        true = tensor(self.pool.latents[index], device)
        tokens = torch.from_numpy(self.pool.tokens[index].astype(np.int64)).to(device)
        times = sampler_times(int(np.random.choice(STEPS)))
        noise, scale = torch.randn_like(true), float(np.random.uniform(*SCALES))
        rows = [number % self.size for number in range(self.drawn, self.drawn + CHUNK)]
        self.own[rows] = self.model.walk(noise, torch.zeros_like(true), tokens, times, scale)
        self.true[rows], self.tokens[rows] = true, tokens
        self.drawn += CHUNK


@dataclass
class SelfPlayTraining(DenoiserTraining):
    """Its learner trains the denoiser alone: the words stay. `model` is its copy, as it was when the round began."""

    model: FrozenModel
    pictures: list[OwnPictures] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = [max(CHUNK, round(STORED * share)) for share in self.shares]
        self.pictures = [OwnPictures(pool, self.model, size) for pool, size in zip(self.pools, sizes, strict=True)]

    def loss(self) -> tuple[Tensor, int]:
        """The discriminator's cross entropy over pairs of a true scene and an own picture, and how many pictures.

        Both of a pair have the same noise, time and caption. A tenth of the captions are empty: of these the velocity
        of the true scene alone is learned, as much as a discriminator in doubt would learn from it.
        """
        if self.learner.fresh % ROUND == 0:
            self.model.follow(self.learner, self.parts)
        pictures = self.pictures[int(np.random.choice(len(self.pools), p=self.shares))]
        if not pictures.filled or self.learner.fresh % (RENEWED if pictures.full else FILLING) == 0:
            pictures.renew()
        batch = self.learner.lesson.batch
        index = torch.randint(pictures.filled, (batch,))
        latents = torch.cat([pictures.true[index], pictures.own[index]])
        empty = torch.rand(batch, 1, device=latents.device) < EMPTY_CAPTIONS
        tokens = torch.where(empty, self.empty, pictures.tokens[index]).repeat(2, 1)
        time = (draw_times(batch) * len(self.alphas)).long().to(latents.device).repeat(2)
        noise = torch.randn_like(pictures.true[index]).repeat(2, 1, 1, 1)
        error, reference = self.errors(latents, noise, time, tokens)
        true, own = (BETA * (reference - error)).chunk(2)
        captioned = ~empty[:, 0]
        discerned = F.softplus(-true) + F.softplus(own)
        return torch.where(captioned, discerned, BETA / 2 * error[:batch]).mean(), 2 * batch

    def errors(self, latents: Tensor, noise: Tensor, time: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Mean squared errors of the velocity (batch,): the denoiser's, and its copy's."""
        alpha, sigma = self.noise_levels(time)
        noisy, velocity = alpha * latents + sigma * noise, alpha * noise - sigma * latents
        with torch.no_grad():
            words = self.model.words(tokens)
            reference = self.model.velocity(noisy, time, words, 1.0)
        predicted: Tensor = self.parts.unet(noisy.to(self.learner.precision), time, words).sample.float()
        return (predicted - velocity).square().mean((1, 2, 3)), (reference - velocity).square().mean((1, 2, 3))
