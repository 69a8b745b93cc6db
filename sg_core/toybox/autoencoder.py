# SPDX-License-Identifier: MIT
"""The autoencoder: an AutoencoderKL whose encoder is taught the latents that `latents.py` writes down."""

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from diffusers.models.autoencoders.vae import Encoder
from torch import Tensor

GROUPS = 8
NO_SPREAD = -30.0  # the least logarithm of a variance that AutoencoderKL knows


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
