# SPDX-License-Identifier: MIT
"""The autoencoder: an AutoencoderKL whose encoder is taught what `latents.py` writes down, or is written itself."""

import math

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from diffusers.models.autoencoders.vae import Encoder
from torch import Tensor, nn

GROUPS = 8
NO_SPREAD = -30.0  # the least logarithm of a variance that AutoencoderKL knows
PATCH = 8  # pixels of the sides of a cell of an AutoencoderTiny of four levels
BALLAST = 100.0  # so much more than any latent that a group's deviation is its own


def new_autoencoder(channels: tuple[int, ...], latent_channels: int, side: int) -> AutoencoderKL:
    """An untrained one of these widths, finest first: cells of 2 ** (levels - 1) pixels; `side` is the native one."""
    levels = len(channels)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=channels,
        layers_per_block=1,
        latent_channels=latent_channels,
        norm_num_groups=GROUPS,
        sample_size=side,
        scaling_factor=1.0,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    forget_spread(vae.encoder)
    return vae


@torch.no_grad()
def forget_spread(encoder: Encoder) -> None:
    """Let the encoder's second half, the logarithms of variances, say "none" always: sampling changes nothing then."""
    last = encoder.conv_out
    half = len(last.weight) // 2
    last.weight[half:] = 0
    last.bias[half:] = NO_SPREAD


def latents_of(vae: AutoencoderKL | AutoencoderTiny, rgb: Tensor) -> Tensor:
    """Pictures (batch, 3, height, width) in 0..1 -> latents, without chance."""
    encoded = vae.encode(rgb * 2 - 1)
    latents: Tensor = encoded.latent_dist.mode() if isinstance(vae, AutoencoderKL) else encoded.latents
    return latents


@torch.no_grad()
def projection_of(vae: AutoencoderTiny) -> tuple[Tensor, Tensor]:
    """The linear map that the encoder of an AutoencoderTiny without blocks is: (latent, 3, 8, 8) and (latent,).

    Pictures are in 0..1. It is read off what the encoder makes of one pixel after another.
    """
    pixels = torch.eye(3 * PATCH * PATCH).view(-1, 3, PATCH, PATCH)
    offset = latents_of(vae, torch.zeros(1, 3, PATCH, PATCH))[0, :, 0, 0]
    weights = latents_of(vae, pixels)[:, :, 0, 0] - offset
    return weights.T.reshape(-1, 3, PATCH, PATCH), offset


@torch.no_grad()
def write_projection(encoder: Encoder, weights: Tensor, offset: Tensor) -> None:
    """Let an encoder of five levels be that linear map of pictures of half the sides, exactly but for rounding.

    The first level averages 2 x 2 pixels, the next two gather 4 x 4 of those in their channels, the fourth reads the
    map off 2 x 2 of these, and the last holds each latent c beside -c: the normalisation at the end divides by a
    deviation that ballast keeps the same for all pictures, and silu(c) - silu(-c) is c. The layers between add nothing.
    """
    for name, weight in encoder.named_parameters():
        weight.fill_(float("norm" in name and name.endswith("weight")))
    keep_channels(encoder.conv_in.weight)
    for block in encoder.down_blocks:
        if block.resnets[0].conv_shortcut is not None:
            keep_channels(block.resnets[0].conv_shortcut.weight)
    average, first, second, read = (block.downsamplers[0].conv for block in encoder.down_blocks[:-1])
    for channel in range(3):
        average.weight[channel, channel, :2, :2] = 0.25
    places = {(0, 0): [0, 1, 2]}
    for conv in (first, second):
        places = gather(conv.weight, places)
    read_cells(read, weights / 2, offset + weights.sum((1, 2, 3)) / 2, places)
    pair_up(encoder, len(offset))


def keep_channels(kernel: Tensor) -> None:
    """Let a convolution pass its channels on as they are."""
    middle = kernel.shape[-1] // 2
    for channel in range(min(kernel.shape[:2])):
        kernel[channel, channel, middle, middle] = 1


def gather(kernel: Tensor, places: dict[tuple[int, int], list[int]]) -> dict[tuple[int, int], list[int]]:
    """Let a convolution of stride 2 put 2 x 2 cells beside each other, in channels.

    `places` are the channels of the colours of each pixel (y, x) of a cell; returns those of the larger cells.
    """
    side, larger = math.isqrt(len(places)), dict[tuple[int, int], list[int]]()
    for down in range(2):
        for across in range(2):
            for (y, x), channels in places.items():
                own = [3 * len(larger) + colour for colour in range(3)]
                larger[down * side + y, across * side + x] = own
                kernel[own, channels, down, across] = 1
    return larger


def read_cells(conv: nn.Conv2d, weights: Tensor, offset: Tensor, places: dict[tuple[int, int], list[int]]) -> None:
    """Let a convolution of stride 2 read the map off 2 x 2 cells."""
    side, count = math.isqrt(len(places)), len(offset)
    for (y, x), channels in places.items():
        for down in range(2):
            for across in range(2):
                corner = weights[:, :, down * side + y, across * side + x]
                conv.weight[:count, channels, down, across] = corner
    assert conv.bias is not None, "diffusers' downsampling convolutions have one"
    conv.bias[:count] = offset


def pair_up(encoder: Encoder, count: int) -> None:
    """Each latent beside its negative in a group of the last normalisation, and ballast of both signs in the rest."""
    shortcut, norm, last = encoder.down_blocks[-1].resnets[0].conv_shortcut, encoder.conv_norm_out, encoder.conv_out
    size, pairs = norm.num_channels // norm.num_groups, -(-count // norm.num_groups)
    shortcut.weight.zero_()
    shortcut.bias.copy_(BALLAST * (-1.0) ** torch.arange(norm.num_channels))
    for latent in range(count):
        group, pair = divmod(latent, pairs)
        for sign, channel in ((1, group * size + 2 * pair), (-1, group * size + 2 * pair + 1)):
            shortcut.weight[channel, latent, 0, 0] = sign
            shortcut.bias[channel] = 0
            last.weight[latent, channel, 1, 1] = sign
    for group in range(norm.num_groups):
        channels = slice(group * size, (group + 1) * size)
        norm.weight[channels] = shortcut.bias[channels].square().mean().sqrt()
    last.bias[len(last.bias) // 2 :] = NO_SPREAD
