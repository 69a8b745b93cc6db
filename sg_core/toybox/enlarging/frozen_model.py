# SPDX-License-Identifier: MIT
"""A model that does not learn, and the latents that it leaves: what the decoder is given to paint."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from sg_core.toybox.components import Parts
from sg_core.toybox.enlarging.patch_basis import PatchBasis, basis_of
from sg_core.toybox.training.optimise import Learner, precision


@dataclass
class FrozenModel:
    """Denoiser and words of the model that ships, or as they are now in training beside, and its encoder."""

    parts: Parts
    basis: PatchBasis = field(init=False)
    alphas: Tensor = field(init=False)

    def __post_init__(self) -> None:
        for module in (self.parts.unet, self.parts.text_encoder, self.parts.vae):
            module.requires_grad_(False).eval()
        device = self.parts.unet.device
        self.basis, self.precision = basis_of(self.parts.vae).to(device), precision(device)
        nn.Module.to(self.parts.unet, self.precision)
        nn.Module.to(self.parts.text_encoder, self.precision)
        self.alphas = self.parts.scheduler.alphas_cumprod.to(device)
        self.empty = self.parts.tokens([""]).to(device)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.alphas.device

    @property
    def channels(self) -> int:
        """Numbers of a latent cell."""
        return len(self.basis.offsets)

    @torch.no_grad()
    def latents(self, rgb: Tensor) -> Tensor:
        """What its encoder makes of pictures (batch, 3, height, width) in 0..1."""
        return self.basis.encode(rgb)

    def follow(self, learner: Learner, trained: Parts) -> None:
        """Take over the averaged weights of a denoiser and its words in training."""
        with learner.averaged():
            self.parts.unet.load_state_dict(trained.unet.state_dict())
            self.parts.text_encoder.load_state_dict(trained.text_encoder.state_dict())

    @torch.no_grad()
    def walk(self, noise: Tensor, clean: Tensor, tokens: Tensor, times: Sequence[int], scale: float) -> Tensor:
        """DDIM steps from the first of `times` down, as the sampler that ships takes them.

        `noise` and `clean` are (batch, channel, y, x), `tokens` (batch, length); returns latents of that shape.
        """
        if scale > 1:
            tokens = torch.cat([tokens, self.empty.expand_as(tokens)])
        words = self.words(tokens)
        levels = [self.alphas[time] for time in times] + [self.alphas[0]]
        latent = levels[0].sqrt() * clean + (1 - levels[0]).sqrt() * noise
        for time, here, there in zip(times, levels, levels[1:], strict=False):
            velocity = self.velocity(latent, time, words, scale)
            clean = here.sqrt() * latent - (1 - here).sqrt() * velocity
            noise = (1 - here).sqrt() * latent + here.sqrt() * velocity
            latent = there.sqrt() * clean + (1 - there).sqrt() * noise
        return latent

    def words(self, tokens: Tensor) -> Tensor:
        """What the denoiser is told: (batch, length, width) of token ids (batch, length)."""
        hidden: Tensor = self.parts.text_encoder(tokens.to(self.device)).last_hidden_state
        return hidden

    def velocity(self, latent: Tensor, time: int | Tensor, words: Tensor, scale: float) -> Tensor:
        """The guided velocity; `words` hold those of no caption behind the captions' where `scale` is over 1."""
        rows = torch.cat([latent, latent]) if scale > 1 else latent
        predicted: Tensor = self.parts.unet(rows.to(self.precision), time, words).sample.float()
        if scale == 1:
            return predicted
        told, untold = predicted.chunk(2)
        guided: Tensor = untold + scale * (told - untold)
        return guided


def sampler_times(count: int) -> list[int]:
    """The times of so many steps, noisiest first, as the schedule that ships spaces them ("leading")."""
    return [1 + k * (1000 // count) for k in reversed(range(count))]
