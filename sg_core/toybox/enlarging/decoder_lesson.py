# SPDX-License-Identifier: MIT
"""What the decoder learns: pixels, edges, what a Judge's first layers see, and edges as steep as true ones.

Half of its latents are those that the denoiser cleaned: aligned with the true picture, but as soft as what it paints.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sg_core.toybox.enlarging.scene_cache import CHUNK, SceneCache
from sg_core.toybox.training.decoder import perceived, unlike
from sg_core.toybox.training.optimise import Learner

CLEANED = 0.6  # of a batch are latents that the denoiser cleaned
NOISE = 0.25  # the most in true latents
PERCEPTION, STEEPNESS = 0.15, 1.0
RENEWED = 0.1  # of the steps draw new scenes
FIRST_SHARE = 0.16  # of the scenes kept are drawn at once
WINDOW = 8  # pixels of the sides over which edges are compared
FLAT = 1e-4  # squared gradients of what counts as flat


@dataclass
class EnlargingTraining:
    """The decoder, its learner, the scenes it learns from, and the Judge's network that compares pictures."""

    caches: list[SceneCache]
    decoder: nn.Module
    learner: Learner
    judge: nn.Module

    def prepare(self) -> None:
        """Draw the first scenes, if none were drawn yet."""
        for cache in self.caches:
            first = max(CHUNK, round(FIRST_SHARE * cache.size))
            while cache.filled < first:
                cache.renew()

    def loss(self) -> tuple[Tensor, int]:
        """The loss of one batch of whole pictures, and how many they are."""
        shares = [share for _, _, share in self.caches[0].recipe.buckets]
        cache = self.caches[int(np.random.choice(len(self.caches), p=shares))]
        if np.random.rand() < RENEWED:
            cache.renew()
        batch = self.learner.lesson.batch
        index = np.random.randint(0, cache.filled, batch)
        device = cache.true.device
        cleaned = torch.rand(batch, 1, 1, 1, device=device) < CLEANED
        spread = NOISE * torch.rand(batch, 1, 1, 1, device=device).square()
        true = cache.true[index] + spread * torch.randn_like(cache.true[index])
        latents = torch.where(cleaned, cache.cleaned[index], true)
        painted = self.decoder(latents.to(self.learner.precision)).float() / 2 + 0.5
        rgb = cache.pictures[index].float() / 255
        total = unlike(painted, rgb) + PERCEPTION * perceived(self.judge, painted, rgb)
        return total + STEEPNESS * less_steep(painted, rgb), batch


def less_steep(painted: Tensor, rgb: Tensor) -> Tensor:
    """Mean difference of the root mean square of gradients in windows of 8 x 8 pixels of two batches of pictures.

    Where an edge may be here or a pixel further, differences of pixels are least for a soft one; its square gradients
    are less than the true edge's wherever that is.
    """
    return (steepness(painted) - steepness(rgb)).abs().mean()


def steepness(rgb: Tensor) -> Tensor:
    """Root mean square of the gradients of pictures (batch, 3, height, width): (batch, 1, height / 8, width / 8)."""
    across, down = F.pad(rgb.diff(dim=-1), (0, 1)), F.pad(rgb.diff(dim=-2), (0, 0, 0, 1))
    squares = (across.square() + down.square()).mean(1, keepdim=True)
    return (F.avg_pool2d(squares, WINDOW) + FLAT).sqrt()
