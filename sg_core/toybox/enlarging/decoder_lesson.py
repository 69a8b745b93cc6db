# SPDX-License-Identifier: MIT
"""A decoder of twice the sides for a model whose denoiser stays as it is: pictures, latents, losses.

It learns from three kinds of latents: true ones with a little noise; true ones that were noised and that the denoiser
cleaned again, which are aligned with the true picture but as soft as what it paints; and samples from nothing but
noise, which have no true picture: today's decoder says their colours, the critic whether they look true.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sg_core.toybox.enlarging.critic import PatchCritic, critic_loss, with_critic
from sg_core.toybox.enlarging.shelf import CLEANED, KINDS, SAMPLED, TRUE, Shelf
from sg_core.toybox.training.decoder import perceived, unlike
from sg_core.toybox.training.optimise import Learner

SHARES = (0.3, 0.4, 0.3)  # of the kinds of latents
NOISE = 0.25  # the most in true latents
PERCEPTION, VERDICT = 0.15, 0.5
CRITIC_AFTER = 0.3  # of the decoder's hours: before, a critic sees the difference at a glance and teaches nothing
RENEWED = 0.1  # of the steps draw new scenes


@dataclass
class EnlargingTraining:
    """The decoder of twice the sides: pixels, edges, what a Judge's first layers see, and a critic's verdict."""

    shelves: list[Shelf]
    decoder: nn.Module
    learner: Learner
    critic: PatchCritic
    judge: nn.Module
    critic_learner: Learner

    @property
    def listens(self) -> bool:
        """Whether the critic is heard."""
        return self.learner.spent > CRITIC_AFTER * self.learner.planned

    def loss(self) -> tuple[Tensor, int]:
        """The loss of one batch of whole pictures; the critic learns from the same."""
        shares = [share for _, _, share in self.shelves[0].recipe.buckets]
        shelf = self.shelves[int(np.random.choice(len(self.shelves), p=shares))]
        if np.random.rand() < RENEWED:
            shelf.renew()
        batch = self.learner.lesson.batch
        index = np.random.randint(0, shelf.filled, batch)
        kinds = np.random.choice(len(KINDS), batch, p=SHARES)
        if not self.listens:
            kinds = np.minimum(kinds, CLEANED)
        latents = torch.stack([shelf.latents[kind][row] for kind, row in zip(kinds, index, strict=True)])
        spread = NOISE * torch.rand(batch, 1, 1, 1).square()
        noisy = latents + spread * torch.from_numpy(kinds == TRUE).view(-1, 1, 1, 1) * torch.randn_like(latents)
        painted = self.decoder(noisy.to(self.learner.precision)).float() / 2 + 0.5
        likeness = self.likeness(painted, shelf, index, kinds)
        if not self.listens:
            return likeness, batch
        others = np.random.randint(0, shelf.filled, batch)
        true = shelf.pictures[others].float() / 255
        with self.critic_learner.timed():
            self.critic_learner.step(critic_loss(self.critic, true, painted.detach()), batch)
        return with_critic(likeness, painted, self.critic, VERDICT), batch

    def likeness(self, painted: Tensor, shelf: Shelf, index: np.ndarray, kinds: np.ndarray) -> Tensor:
        """How unlike pictures are their true ones, or, of samples, what today's decoder makes of them, roughly."""
        total = torch.zeros(())
        aligned, sampled = np.flatnonzero(kinds != SAMPLED), np.flatnonzero(kinds == SAMPLED)
        if len(aligned):
            rgb = shelf.pictures[index[aligned]].float() / 255
            seen = perceived(self.judge, painted[aligned], rgb)
            total = total + len(aligned) / len(index) * (unlike(painted[aligned], rgb) + PERCEPTION * seen)
        if len(sampled):
            away = (F.avg_pool2d(painted[sampled], 8) - shelf.rough[index[sampled]]).abs().mean()
            total = total + 2 * len(sampled) / len(index) * away
        return total
