# SPDX-License-Identifier: MIT
"""Files for tests of what goes on top of a model: a tiny checkpoint of SDXL, LoRAs, autoencoders and ControlNets."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from sg_core.models.folder import quiet
from tests.sg_core.models import checkpoint_file
from tests.sg_core.models.families import networks, pipelines

LAYERS = (
    "up_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k",
    "down_blocks.2.attentions.0.transformer_blocks.1.attn2.to_v",
    "mid_block.attentions.0.transformer_blocks.1.attn1.to_out.0",
)


def checkpoint(folder: Path, name: str = "mine") -> Any:
    """``mine.safetensors`` in the folder; beside it the folder of its tiny configuration. The pipeline that it is."""
    torch.manual_seed(0)
    with quiet():
        pipeline = pipelines.stable_diffusion_xl()
        pipeline.save_pretrained(folder / name)
    for weights in (folder / name).rglob("*.safetensors"):
        weights.unlink()
    checkpoint_file.save(pipeline, folder / f"{name}.safetensors")
    return pipeline


def lora(unet: Any, file: Path, *, kohya: bool = True, seed: int = 1, layers: tuple[str, ...] = LAYERS) -> Path:
    """A LoRA of rank 2 for some layers of a UNet, by kohya's names or diffusers'."""
    noise, tensors = torch.Generator().manual_seed(seed), {}
    for layer in layers:
        weight = unet.get_submodule(layer).weight
        down, up = (torch.randn(shape, generator=noise) for shape in ((2, weight.shape[1]), (weight.shape[0], 2)))
        tensors |= _named(layer, down, up, kohya)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file)
    return file


def _named(layer: str, down: Tensor, up: Tensor, kohya: bool) -> dict[str, Tensor]:
    if kohya:
        name = "lora_unet_" + layer.replace(".", "_")
        return {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": torch.tensor(2.0)}
    return {f"unet.{layer}.lora_A.weight": down, f"unet.{layer}.lora_B.weight": up}


def autoencoder(own: Any, file: Path, *, seed: int = 5) -> Path:
    """Another one like a pipeline's own."""
    torch.manual_seed(seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(type(own).from_config(own.config).state_dict(), file)
    return file


def controlnet(unet: Any, file: Path, *, seed: int = 3) -> Path:
    """A ControlNet for this UNet, by diffusers' names."""
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(networks.controlnet(unet, seed).state_dict(), file)
    return file
