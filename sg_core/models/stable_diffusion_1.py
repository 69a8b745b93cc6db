# SPDX-License-Identifier: MIT
"""UNets like Stable Diffusion 1.x (Rombach et al. 2022): one text encoder, cross-attention, latents of a VAE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.errors import AttentionError, RequestError
from sg_core.models.cards import Card
from sg_core.models.folder import check, component, read_json
from sg_core.models.model import Step
from sg_core.models.schedulers import Timetable, timetable
from sg_core.parametrisation import PARAMETRISATIONS, Parametrisation
from sg_core.tokens import Phrase, Words, check_length, locate

COMPONENTS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "unet": (UNet2DConditionModel,),
        "vae": (AutoencoderKL, AutoencoderTiny),
        "text_encoder": (CLIPTextModel,),
        "tokenizer": (CLIPTokenizer,),
    }
)
FOLDERS = (*COMPONENTS, "scheduler")


@dataclass(frozen=True)
class StableDiffusion1:
    """A UNet2DConditionModel with its autoencoder, text encoder, tokenizer and the configuration of its noise."""

    card: Card
    network: nn.Module
    autoencoder: Any
    text_encoder: Any
    tokenizer: Any
    noise: Mapping[str, Any]

    @property
    def parametrisation(self) -> Parametrisation:
        """As the scheduler's configuration says."""
        return PARAMETRISATIONS[self.noise["prediction_type"]]

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(channel, y, x), sizes in pixels. Raises RequestError when a side is not a multiple of the Card's."""
        multiple = self.card.multiple
        if width < multiple or height < multiple or width % multiple or height % multiple:
            near = [max(1, round(side / multiple)) * multiple for side in (width, height)]
            raise RequestError(
                f"{width} x {height} pixels: {self.card.name} paints multiples of {multiple}, "
                f"such as {near[0]} x {near[1]}"
            )
        factor = 2 ** (len(self.autoencoder.config.block_out_channels) - 1)
        return self.autoencoder.config.latent_channels, height // factor, width // factor

    def steps(self, count: int, scheduler: str) -> Timetable:
        """Any of the schedulers over this model's noise schedule."""
        return timetable(self.noise, scheduler, count)

    def layers(self, latent: Tensor) -> dict[str, Grid]:
        """Cross-attention layers of the Card's blocks, in the order they speak."""
        return cross_attention(self.network, (latent.shape[2], latent.shape[3]), self.card.layers)

    def attention(self, latent: Tensor) -> dict[str, Grid]:
        """All cross-attention layers, in the order they speak."""
        return cross_attention(self.network, (latent.shape[2], latent.shape[3]), ())

    def encode(self, prompts: Sequence[str]) -> Conditioning:
        """Last hidden states, (batch, token, width). Raises TokenError when a prompt is too long."""
        for prompt in prompts:
            check_length(self.tokenizer, prompt)
        tokens = self.tokenizer(list(prompts), padding="max_length", return_tensors="pt").input_ids
        with torch.no_grad():
            hidden: Tensor = self.text_encoder(tokens.to(self.text_encoder.device)).last_hidden_state
        return Conditioning({"encoder_hidden_states": hidden})

    def words(self, prompts: Sequence[str], phrases: Sequence[Phrase]) -> Words:
        """Where the prompts say the phrases. Raises TokenError when one does not."""
        return locate(self.tokenizer, prompts, phrases)

    def predict(self, latent: Tensor, step: Step, text: Conditioning) -> Tensor:
        """The UNet's output: noise or velocity."""
        output: Tensor = self.network(latent, step.time, return_dict=False, **text.inputs)[0]
        return output

    def decode(self, latent: Tensor) -> Tensor:
        """Pictures (batch, 3, y, x), 0 to 1."""
        picture: Tensor = self.autoencoder.decode(latent / self.autoencoder.config.scaling_factor).sample
        return (picture / 2 + 0.5).clamp(0, 1)


def load(folder: Path, card: Card, device: str) -> StableDiffusion1:
    """The model in a folder, in float32, without gradients for its weights.

    Raises WeightsError when the folder's parts are of other classes, not in safetensors, or ask for code.
    """
    check(folder, COMPONENTS, FOLDERS)
    parts = ("unet", "vae", "text_encoder")
    unet, autoencoder, text_encoder = (component(folder, part, COMPONENTS[part]).to(device) for part in parts)
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    noise = {"prediction_type": "epsilon", **read_json(folder / "scheduler" / "scheduler_config.json")}
    return StableDiffusion1(card, unet, autoencoder, text_encoder, tokenizer, MappingProxyType(noise))


def cross_attention(network: Any, size: tuple[int, int], blocks: Sequence[str]) -> dict[str, Grid]:
    """Cross-attention layers of these blocks, in the order they speak, with their grids for a latent of this size.

    Args:
        size: rows and columns of the latent.
        blocks: names such as ``mid_block``; none means all.

    Raises AttentionError when those blocks have no cross-attention.

    Grids follow from the latent's own rows and columns, halved (upwards) where a block halves them. A square root of
    the number of places would only do for square pictures.
    """
    sizes = [size]
    for block in network.down_blocks[:-1]:
        rows, columns = sizes[-1]
        sizes.append(((rows + 1) // 2, (columns + 1) // 2) if block.downsamplers else (rows, columns))
    down = [(f"down_blocks.{i}", at) for i, at in enumerate(sizes)]
    up = [(f"up_blocks.{i}", at) for i, at in enumerate(reversed(sizes))]
    layers = {
        f"{block}.{name}": Grid(*at)
        for block, at in [*down, ("mid_block", sizes[-1]), *up]
        if not blocks or block in blocks
        for name, _ in network.get_submodule(block).named_modules()
        if name.endswith(".attn2")
    }
    if not layers:
        raise AttentionError(
            f"no cross-attention in {', '.join(blocks) or 'this network'}: name other blocks in the Card"
        )
    return layers
