# SPDX-License-Identifier: MIT
"""The denoiser with its text encoder: velocity prediction on the latents of composed scenes."""

from dataclasses import dataclass

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from sg_core.toybox.components import Parts
from sg_core.toybox.training.optimise import Learner
from sg_core.toybox.training.pool import Pool, tensor

EMPTY_CAPTIONS = 0.1
RENEWED = 16  # one scene is drawn anew for so many learned from
LATEST, HOPS = 0.6, 3  # how noisy, and in how many steps, the denoiser cleans latents for the decoder to learn from


@dataclass
class DenoiserTraining:
    """Velocity prediction (Salimans and Ho, 2022); a tenth of the captions empty.

    Half of the times are drawn logit-normally (Esser et al., 2024), for outlines are decided between much noise and
    little; half evenly, for where a thing goes is decided in most noise. Weights of cells fade with noise: what counts
    more on objects while nobody knows where they are paints them larger, and paints more of them.
    """

    parts: Parts
    pools: list[Pool]
    learner: Learner

    def __post_init__(self) -> None:
        device = self.parts.unet.device
        if device.type == "cpu":  # SDPA's backward is slow on the CPU for heads this small
            self.parts.unet.set_attn_processor(AttnProcessor())
        self.shares = [share for _, _, share in self.pools[0].source.recipe.buckets]
        self.alphas = self.parts.scheduler.alphas_cumprod.to(device)
        self.empty = self.parts.tokens([""]).to(device)

    def loss(self) -> tuple[Tensor, int]:
        """Mean squared error of the velocity over a batch, its cells weighed as their pool says, and its pictures."""
        pool = self.pools[int(np.random.choice(len(self.pools), p=self.shares))]
        batch = self.learner.lesson.batch
        pool.renew(max(1, batch // RENEWED))
        area = pool.sides[0] * pool.sides[1] / pool.source.recipe.area
        index = pool.rows(batch if area > 0.5 else 2 * batch)
        latents, tokens = tensor(pool.latents[index], self.empty.device), self.words(pool, index)
        dropped = torch.rand(len(index), 1, device=tokens.device) < EMPTY_CAPTIONS
        time = (draw_times(len(index)) * len(self.alphas)).long().to(tokens.device)
        alpha, sigma = self.noise_levels(time)
        noise = torch.randn_like(latents)
        velocity = self.predict(alpha * latents + sigma * noise, time, torch.where(dropped, self.empty, tokens))
        error = (velocity - alpha * noise + sigma * latents).square().mean(1)
        weights = 1 + alpha[:, 0].square() * (tensor(pool.weights[index], self.empty.device) - 1)
        return (error * weights).mean() / weights.mean(), len(index)

    def predict(self, noisy: Tensor, time: Tensor, tokens: Tensor) -> Tensor:
        """The velocity, in float32."""
        words = self.parts.text_encoder(tokens).last_hidden_state
        velocity: Tensor = self.parts.unet(noisy.to(self.learner.precision), time, words).sample
        return velocity.float()

    def words(self, pool: Pool, index: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Tensor:
        """Token ids of some scenes."""
        return torch.from_numpy(pool.tokens[index].astype(np.int64)).to(self.empty.device)

    def noise_levels(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """alpha and sigma of each time: (batch, 1, 1, 1) both."""
        alphas = self.alphas[time].view(-1, 1, 1, 1)
        return alphas.sqrt(), (1 - alphas).sqrt()

    @torch.no_grad()
    def repaint(self, count: int) -> None:
        """Noise some pictures' latents to a random time and clean them again: what the decoder will be given to paint.

        A few DDIM steps without guidance, with the averaged weights; kept in the square pool's `painted`.
        """
        pool = self.pools[0]
        if pool.painted is None:
            return
        index = pool.rows(count, len(pool.painted))
        clean, tokens = tensor(pool.latents[index], self.empty.device), self.words(pool, index)
        first = torch.rand(count, device=clean.device) * LATEST
        noise = torch.randn_like(clean)
        with self.learner.averaged():
            for hop in range(HOPS):
                time = (first * (1 - hop / HOPS) * (len(self.alphas) - 1)).long()
                alpha, sigma = self.noise_levels(time)
                noisy = alpha * clean + sigma * noise
                velocity = self.predict(noisy, time, tokens)
                clean, noise = alpha * noisy - sigma * velocity, sigma * noisy + alpha * velocity
        pool.painted[index] = clean.cpu().numpy()


def draw_times(count: int) -> Tensor:
    """Times (count,) in 0..1, one half of a batch logit-normal, the other even."""
    even = torch.rand(count)
    even[: count // 2] = torch.randn(count // 2).sigmoid()
    return even.clamp(max=1 - 1e-6)
