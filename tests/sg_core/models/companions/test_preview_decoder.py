# SPDX-License-Identifier: MIT
"""A small decoder, of the real class, beside a model or where the Card says."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderTiny

from sg_core import WeightsError
from sg_core.models.companions.preview_decoder import preview_decoder, preview_folder
from sg_core.models.folder import quiet
from sg_core.models.parts import Hardware
from sg_core.models.stable_diffusion_1 import StableDiffusion1


def save(folder: Path, channels: int = 4) -> Path:
    """A tiny AutoencoderTiny with random weights, eight pixels to a latent's side."""
    torch.manual_seed(0)
    network = AutoencoderTiny(
        latent_channels=channels,
        encoder_block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    )
    with quiet():
        network.save_pretrained(folder)
    return folder


def of_card(model: StableDiffusion1, **values: str) -> StableDiffusion1:
    return replace(model, card=replace(model.card, **values))


def test_it_decodes_what_the_network_has(model: StableDiffusion1, tmp_path: Path) -> None:
    folder = save(tmp_path / "small")
    decoder = preview_decoder(of_card(model, preview=str(folder)), Hardware())
    assert decoder is not None
    latent = torch.randn(2, 4, 6, 8, generator=torch.Generator().manual_seed(1))
    pictures = decoder.pictures(latent)
    assert pictures.shape == (2, 3, 48, 64) and pictures.min() >= 0 and pictures.max() <= 1
    own = AutoencoderTiny.from_pretrained(folder, low_cpu_mem_usage=False)
    with torch.no_grad():
        expected = (own.decode(latent).sample / 2 + 0.5).clamp(0, 1)
    assert torch.equal(pictures, expected)


def test_it_is_looked_for_beside_the_model(model: StableDiffusion1, tmp_path: Path) -> None:
    assert preview_folder(of_card(model, source=str(tmp_path))) is None
    beside = save(tmp_path / "taesd")
    assert preview_folder(of_card(model, source=str(tmp_path))) == beside
    file = tmp_path / "dreamer.safetensors"
    of_file = save(tmp_path / "dreamer.taesd")
    assert preview_folder(of_card(model, source=str(file))) == of_file


def test_one_of_another_kind_of_latent_is_refused(model: StableDiffusion1, tmp_path: Path) -> None:
    folder = save(tmp_path / "taef", channels=16)
    with pytest.raises(WeightsError, match="latents of 16 channels, and tiny has 4"):
        preview_decoder(of_card(model, preview=str(folder)), Hardware())


def test_a_card_that_names_nothing_is_said(model: StableDiffusion1, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"config\.json"):
        preview_decoder(of_card(model, preview=str(tmp_path / "nowhere")), Hardware())
