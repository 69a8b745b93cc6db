# SPDX-License-Identifier: MIT
"""UNets like Stable Diffusion 1.x (Rombach et al. 2022): one text encoder, cross-attention, latents of a VAE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.errors import AttentionError
from sg_core.models.cards import Card
from sg_core.models.model import Step, mean_latent, of_size, painted_sides, plus
from sg_core.models.parts import Hardware, component, read_noise, tokenizer
from sg_core.models.schedulers import NONE, Timetable, timetable
from sg_core.models.single_file import read_file_noise, read_parts
from sg_core.parametrisation import PARAMETRISATIONS, Parametrisation
from sg_core.tokens import Phrase, Words, check_length, locate

COMPONENTS: Mapping[str, Sequence[str]] = MappingProxyType(
    {"unet": ("UNet2DConditionModel",), "vae": ("AutoencoderKL", "AutoencoderTiny"), "text_encoder": ("CLIPTextModel",)}
)
TOKENIZERS = ("CLIPTokenizer", "CLIPTokenizerFast")
CROSS, SELF = ".attn2", ".attn1"  # how diffusers calls a transformer block's two attentions
FOLDERS = (*COMPONENTS, "tokenizer", "scheduler")


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
    def _dtype(self) -> torch.dtype:
        """In which the network computes; its autoencoder may be in a wider one."""
        return next(self.network.parameters()).dtype

    @property
    def parametrisation(self) -> Parametrisation:
        """As the scheduler's configuration says."""
        return PARAMETRISATIONS[self.noise["prediction_type"]]

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(channel, y, x), sizes in pixels. Raises RequestError when a side is not a multiple of the Card's."""
        width, height = painted_sides(self.card, width, height)
        factor = 2 ** (len(self.autoencoder.config.block_out_channels) - 1)
        return self.autoencoder.config.latent_channels, height // factor, width // factor

    def steps(self, count: int, scheduler: str, size: tuple[int, int] | None = None) -> Timetable:
        """Any of the schedulers over this model's noise schedule."""
        return timetable(self.noise, scheduler, count)

    def layers(self, latent: Tensor) -> dict[str, Grid]:
        """Cross-attention layers of the Card's blocks, in the order they speak."""
        return cross_attention(self.network, (latent.shape[2], latent.shape[3]), self.card.layers)

    def attention(self, latent: Tensor) -> dict[str, Grid]:
        """All cross-attention layers, in the order they speak."""
        return cross_attention(self.network, (latent.shape[2], latent.shape[3]), ())

    def self_attention(self, latent: Tensor) -> dict[str, Grid]:
        """All self-attention layers, in the order they speak."""
        return unet_attention(self.network, (latent.shape[2], latent.shape[3]), (), SELF)

    def encode(self, prompts: Sequence[str], *, negative: bool = False) -> Conditioning:
        """Last hidden states, (batch, token, width). Raises TokenError when a prompt is too long."""
        for prompt in prompts:
            check_length(self.tokenizer, prompt)
        tokens = self.tokenizer(list(prompts), padding="max_length", return_tensors="pt").input_ids
        with torch.no_grad():
            hidden: Tensor = self.text_encoder(tokens.to(self.text_encoder.device)).last_hidden_state
        return Conditioning({"encoder_hidden_states": hidden}).cast(self._dtype)

    def words(self, prompts: Sequence[str], phrases: Sequence[Phrase]) -> Words:
        """Where the prompts say the phrases. Raises TokenError when one does not."""
        return locate(self.tokenizer, prompts, phrases)

    def predict(self, latent: Tensor, step: Step, text: Conditioning) -> Tensor:
        """The UNet's output: noise or velocity."""
        output: Tensor = self.network(latent.to(self._dtype), step.time, return_dict=False, **text.inputs)[0]
        return output.to(latent.dtype)

    def combine(self, conditional: Tensor, plain: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """As Ho & Salimans do."""
        return plus(conditional, plain, scale)

    def decode(self, latent: Tensor) -> Tensor:
        """Pictures (batch, 3, y, x), 0 to 1."""
        scaled = (latent / self.autoencoder.config.scaling_factor).to(self.autoencoder.dtype)
        picture: Tensor = self.autoencoder.decode(scaled).sample
        return (picture.to(latent.dtype) / 2 + 0.5).clamp(0, 1)

    def latent(self, pictures: Tensor) -> Tensor:
        """Clean latents of pictures (batch, 3, height, width) in 0..1, without chance."""
        scaling: float = self.autoencoder.config.scaling_factor
        width, height = painted_sides(self.card, pictures.shape[3], pictures.shape[2])
        return mean_latent(self.autoencoder, of_size(pictures, width, height)) * scaling


def load(folder: Path, card: Card, hardware: Hardware, changes: Mapping[str, Any] = NONE) -> StableDiffusion1:
    """The model in a folder, without gradients for its weights; with ``changes`` to its scheduler's configuration.

    Raises WeightsError when the folder's parts are of other classes, damaged, not in safetensors, or ask for code.
    """
    words = tokenizer(folder, "tokenizer", TOKENIZERS)
    parts = {part: component(folder, part, kinds, hardware) for part, kinds in COMPONENTS.items()}
    return assembled({**read_noise(folder), **changes}, card, {**parts, "tokenizer": words})


def load_file(file: Path, card: Card, hardware: Hardware, changes: Mapping[str, Any] = NONE) -> StableDiffusion1:
    """The model in one checkpoint file. Raises WeightsError as ``single_file.read_parts`` does."""
    parts, _ = read_parts(file, hardware)
    return assembled({**read_file_noise(file), **changes}, card, parts)


def assembled(noise: Mapping[str, Any], card: Card, parts: Mapping[str, Any]) -> StableDiffusion1:
    """A model of these parts, and of the configuration of its scheduler."""
    unet, autoencoder, encoder, words = (parts[name] for name in (*COMPONENTS, "tokenizer"))
    words.model_max_length = min(words.model_max_length, encoder.config.max_position_embeddings)
    configuration = {"prediction_type": "epsilon", **noise}
    return StableDiffusion1(card, unet, autoencoder, encoder, words, MappingProxyType(configuration))


def cross_attention(network: Any, size: tuple[int, int], blocks: Sequence[str]) -> dict[str, Grid]:
    """Cross-attention layers of these blocks, in the order they speak, with their grids for a latent of this size.

    Args:
        size: rows and columns of the latent.
        blocks: names such as ``mid_block``; none means all.

    Raises AttentionError when those blocks have no cross-attention.
    """
    layers = unet_attention(network, size, blocks, CROSS)
    if not layers:
        raise AttentionError(
            f"no cross-attention in {', '.join(blocks) or 'this network'}: name other blocks in the Card"
        )
    return layers


def unet_attention(network: Any, size: tuple[int, int], blocks: Sequence[str], ending: str) -> dict[str, Grid]:
    """The layers of these blocks (none named means all) whose name ends so, in the order they speak."""
    return {
        f"{block}.{name}": Grid(*at)
        for block, at in block_sizes(network, size)
        if not blocks or block in blocks
        for name in _module_names(network.get_submodule(block))
        if name.endswith(ending)
    }


def _module_names(module: nn.Module) -> list[str]:
    """As ``named_modules`` has them, in its order; that walks through a generator for each level, in every step."""
    names: list[str] = []
    waiting = [("", module)]
    while waiting:
        name, one = waiting.pop()
        names.append(name.removeprefix("."))
        waiting.extend((f"{name}.{part}", child) for part, child in reversed(one._modules.items()) if child is not None)
    return names


def block_sizes(network: Any, size: tuple[int, int]) -> list[tuple[str, tuple[int, int]]]:
    """The blocks of a UNet in the order they run, each with the rows and columns that it sees of a latent of this size.

    They follow from the latent's own rows and columns, halved (upwards) where a block halves them. A square root of
    the number of places would only do for square pictures.
    """
    sizes = [size]
    for block in network.down_blocks[:-1]:
        rows, columns = sizes[-1]
        sizes.append(((rows + 1) // 2, (columns + 1) // 2) if block.downsamplers else (rows, columns))
    down = [(f"down_blocks.{i}", at) for i, at in enumerate(sizes)]
    up = [(f"up_blocks.{i}", at) for i, at in enumerate(reversed(sizes))]
    middle = [] if network.mid_block is None else [("mid_block", sizes[-1])]  # KOALA has none
    return [*down, *middle, *up]
