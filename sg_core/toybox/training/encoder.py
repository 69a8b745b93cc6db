# SPDX-License-Identifier: MIT
"""The encoder: read from a picture what `latents.py` knows of its scene."""

from dataclasses import dataclass

from torch import Tensor

from sg_core.toybox.components import Parts
from sg_core.toybox.training.optimise import Learner
from sg_core.toybox.training.pool import Pool, tensor


@dataclass
class EncoderTraining:
    """Squared and some absolute error of the latents of whole pictures."""

    parts: Parts
    pool: Pool
    learner: Learner

    def loss(self) -> tuple[Tensor, int]:
        """The loss of one batch and its pictures."""
        pool, batch = self.pool, self.learner.lesson.batch
        if pool.pictures is None:
            raise ValueError("the encoder learns from the square pool, which alone keeps pictures")
        pool.renew(1)
        index = pool.rows(batch, len(pool.pictures))
        latents = tensor(pool.latents[index], self.parts.vae.device)
        rgb = tensor(pool.pictures[index], latents.device) / 127.5 - 1
        read = self.parts.vae.encoder(rgb.to(self.learner.precision))[:, : latents.shape[1]].float()
        error = read - latents
        return error.square().mean() + 0.2 * error.abs().mean(), batch
