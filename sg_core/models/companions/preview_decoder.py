# SPDX-License-Identifier: MIT
"""Small decoders for previews: TAESD and its kin, an eighteenth of the work of a model's own autoencoder.

A preview costs more than a step where the whole decoder makes it. An AutoencoderTiny takes the latents as the network
has them, and is only looked at while the picture is painted: the picture itself comes from the model's own decoder.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sg_core.errors import WeightsError
from sg_core.models.cards import is_checkpoint
from sg_core.models.model import Model
from sg_core.models.parts import Hardware, standalone

BESIDE = "taesd"  # the folder in a model's own, or of a checkpoint's name with this ending
KINDS = ("AutoencoderTiny",)


@dataclass(frozen=True)
class PreviewDecoder:
    """An AutoencoderTiny."""

    network: Any

    @torch.no_grad()
    def pictures(self, latent: Tensor) -> Tensor:
        """Pictures (batch, 3, height, width), float32 in 0..1, of clean latents (batch, channel, y, x)."""
        config = self.network.config
        shift = float(config.get("shift_factor") or 0.0)
        scaled = (latent / config.scaling_factor + shift).to(self.network.dtype)
        decoded: Tensor = self.network.decode(scaled, return_dict=False)[0]
        return (decoded.float() / 2 + 0.5).clamp(0, 1)


def preview_folder(model: Model) -> Path | None:
    """Where a model has its small decoder: where the Card says, else beside it; None where there is none."""
    card = model.card
    if card.preview:
        return Path(card.preview).expanduser()
    source = Path(card.source)
    beside = source.with_suffix(f".{BESIDE}") if is_checkpoint(source) else source / BESIDE
    return beside if (beside / "config.json").is_file() else None


def preview_decoder(model: Model, hardware: Hardware) -> PreviewDecoder | None:
    """A model's small decoder, in diffusers' format, read as warily as the model's parts; None where it has none.

    Raises WeightsError when what the folder holds is none, or for latents of another kind than the model's.
    """
    folder = preview_folder(model)
    if folder is None:
        return None
    network = standalone(folder, KINDS, hardware)
    multiple = model.card.multiple
    channels, held = model.latent_shape(multiple, multiple)[0], network.config.latent_channels
    if held != channels:
        raise WeightsError(f"{folder} decodes latents of {held} channels, and {model.card.name} has {channels}")
    return PreviewDecoder(network)
