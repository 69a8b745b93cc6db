# SPDX-License-Identifier: MIT
"""The shipped encoder as the one linear map that its layers spell out: many times faster, for training alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, AutoencoderTiny
from torch import Tensor

from sg_core.toybox.autoencoder import latents_of
from sg_core.toybox.components import Parts
from sg_core.toybox.latents import CELL
from sg_core.toybox.recipe import Recipe
from sg_core.toybox.scenes.atlas import Atlas
from sg_core.toybox.scenes.compose import Pictures
from sg_core.toybox.scenes.scene import Scene

HALVED = CELL // 2  # sides of a cell in the picture averaged over 2 x 2 pixels
PROBES, PROBE_SIDE = 4, 256
USUAL, GAIN, MOST = 0.1, 1.5, 4.0  # an object of this share of the frame counts so much more; the most more


@dataclass(frozen=True)
class PatchBasis:
    """Kernels (component, 3, 8, 8) and offsets (component,) on pictures in 0..1 averaged over 2 x 2 pixels."""

    kernels: Tensor
    offsets: Tensor

    def to(self, device: torch.device | str) -> "PatchBasis":
        """The same map on another device."""
        return PatchBasis(self.kernels.to(device), self.offsets.to(device))

    def encode(self, rgb: Tensor) -> Tensor:
        """(batch, 3, height, width) in 0..1 -> (batch, component, height / 16, width / 16)."""
        return F.conv2d(F.avg_pool2d(rgb, CELL // HALVED), self.kernels, self.offsets, stride=HALVED)


def emphasis(visible: Tensor) -> Tensor:
    """Weights (batch, rows, columns) of cells' errors, from the coverage (batch, object, height, width) of objects.

    1 on the backdrop and up to 1 + MOST on an object: a small one has few cells, and by itself it decides little.
    """
    share = visible.mean((2, 3), keepdim=True).clamp_min(1e-3)
    gain = (GAIN * (USUAL / share).sqrt()).clamp(max=MOST)
    return 1 + (F.avg_pool2d(visible, CELL) * gain).sum(1)


@torch.no_grad()
def basis_of(vae: AutoencoderKL | AutoencoderTiny) -> PatchBasis:
    """The map that gives an encoder's latents, by least squares over pictures of noise: it has to be linear."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(PROBES, 3, PROBE_SIDE // 2, PROBE_SIDE // 2, generator=generator)
    latents = latents_of(vae, F.interpolate(noise, scale_factor=2.0).to(vae.device)).cpu()
    patches = F.unfold(noise, HALVED, stride=HALVED).transpose(1, 2).flatten(0, 1).double()
    known = torch.cat([patches, torch.ones(len(patches), 1, dtype=torch.float64)], 1)
    answers = latents.flatten(2).transpose(1, 2).flatten(0, 1).double()
    solution = torch.linalg.lstsq(known, answers).solution.T.float()
    return PatchBasis(solution[:, :-1].reshape(-1, 3, HALVED, HALVED).contiguous(), solution[:, -1].contiguous())


@dataclass(frozen=True)
class PatchSource:
    """Scenes as the model that ships encodes them."""

    recipe: Recipe
    atlas: Atlas
    parts: Parts
    basis: PatchBasis

    @property
    def channels(self) -> int:
        """Numbers of a latent cell."""
        return len(self.basis.offsets)

    def encode(self, scenes: Sequence[Scene], pictures: Pictures) -> Tensor:
        """Latents (batch, channel, rows, columns) of composed scenes."""
        return self.basis.encode(pictures.rgb)

    def weigh(self, pictures: Pictures) -> Tensor:
        """How much the error in each cell counts: more on objects, most on small ones."""
        return emphasis(pictures.visible)
