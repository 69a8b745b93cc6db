# SPDX-License-Identifier: MIT
"""An autoencoder whose encoder is principal component analysis, written as the convolutions of an AutoencoderTiny.

Latents are the leading components of 8 x 8 patches, so the encoder needs no training, every latent cell knows just its
own patch, and the denoiser can learn before the decoder does. Only the decoder, which paints what the components left
out, is learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from torch import Tensor

PATCH = 8
POOLED = 3 * PATCH * PATCH


@dataclass(frozen=True)
class Basis:
    """Analysis kernels (component, 3, 8, 8) and offsets (component,) on pictures in 0..1; latents vary by about 1."""

    kernels: Tensor
    offsets: Tensor

    def encode(self, rgb: Tensor) -> Tensor:
        """(batch, 3, height, width) in 0..1 -> (batch, component, height / 8, width / 8)."""
        return F.conv2d(rgb, self.kernels, self.offsets, stride=PATCH)

    def decode(self, latent: Tensor) -> Tensor:
        """The best linear picture of a latent: what the learned decoder improves on."""
        flat = self.kernels.flatten(1)
        inverse = torch.linalg.pinv(flat)
        patches = torch.einsum("pk,bkyx->bpyx", inverse, latent - self.offsets.view(1, -1, 1, 1))
        return F.pixel_shuffle(patches, PATCH)


def principal_components(pictures: Sequence[Tensor], count: int) -> Basis:
    """The `count` leading components of the patches of batches of pictures, each divided by the root of its deviation.

    Dividing by the deviation itself would make the faintest detail as loud as the colours of sky and ground; not
    dividing would drown it in the first noise. The root lies between.
    """
    unfolded = [F.unfold(rgb, PATCH, stride=PATCH).transpose(1, 2).reshape(-1, POOLED) for rgb in pictures]
    patches = torch.cat(unfolded).double()
    mean = patches.mean(0)
    values, vectors = torch.linalg.eigh((patches - mean).T @ (patches - mean) / len(patches))
    deviation = values.flip(0)[:count].sqrt()
    scaled = vectors.flip(1)[:, :count].T / deviation.sqrt()[:, None]
    scaled = scaled / deviation.mean().sqrt()
    return Basis(scaled.view(count, 3, PATCH, PATCH).float(), -(scaled @ mean).float())


def new_autoencoder(basis: Basis, width: int) -> AutoencoderTiny:
    """The basis as an encoder of strided convolutions that only sort pixels, and a decoder still to be trained."""
    count = len(basis.kernels)
    vae = AutoencoderTiny(
        encoder_block_out_channels=(POOLED,) * 4,
        num_encoder_blocks=(0, 0, 0, 0),
        decoder_block_out_channels=(width,) * 4,
        num_decoder_blocks=(3, 3, 2, 0),
        latent_channels=count,
        upsample_fn="nearest",
    )
    write_encoder(vae, basis)
    return vae


@torch.no_grad()
def write_encoder(vae: AutoencoderTiny, basis: Basis) -> None:
    """Set the encoder's weights: copy rgb, sort 2 x 2 pixels into channels three times, then project on the basis.

    A stride-2 convolution padded by 1 sees pixel 2i at its tap 1 and pixel 2i + 1 at its tap 2.
    """
    first, *sorters, last = vae.encoder.layers
    for layer in vae.encoder.layers:
        layer.weight.zero_()
        if layer.bias is not None:
            layer.bias.zero_()
    for channel in range(3):
        first.weight[channel, channel, 1, 1] = 1
    for level, sorter in enumerate(sorters):
        for channel in range(3 * 4**level):
            for corner in range(4):
                sorter.weight[4 * channel + corner, channel, 1 + corner // 2, 1 + corner % 2] = 1
    colour, row, column = pixel_order().unbind(1)
    last.weight[:, :, 1, 1] = basis.kernels[:, colour, row, column]
    last.bias.copy_(basis.offsets)


def pixel_order() -> Tensor:
    """Which (colour, row, column) of the patch each of the 192 sorted channels holds: (192, 3)."""
    channel = torch.arange(POOLED)
    corners = [channel // 4**power % 4 for power in (2, 1, 0)]
    row = sum(2**level * (corner // 2) for level, corner in enumerate(corners))
    column = sum(2**level * (corner % 2) for level, corner in enumerate(corners))
    return torch.stack([channel // 64, torch.as_tensor(row), torch.as_tensor(column)], 1)


def read_basis(vae: AutoencoderTiny) -> Basis:
    """The basis that `write_encoder` wrote."""
    last = vae.encoder.layers[-1]
    kernels = torch.zeros(last.weight.shape[0], 3, PATCH, PATCH)
    colour, row, column = pixel_order().unbind(1)
    kernels[:, colour, row, column] = last.weight[:, :, 1, 1].detach().float()
    return Basis(kernels, last.bias.detach().float())
