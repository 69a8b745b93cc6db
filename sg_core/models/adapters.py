# SPDX-License-Identifier: MIT
"""What artists put on top of a model: LoRAs (Hu et al. 2021), several and weighted, and another autoencoder.

A LoRA is added to the weights themselves, once: it costs nothing per step, and layers keep their names, so what listens
and what masks knows nothing of it. Names are kohya's (``lora_unet_down_blocks_0_...``, also in the first code's
numbering) or diffusers' (``unet.down_blocks.0...``); a layer that this model does not have is an error, for a LoRA that
is half there is another LoRA.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders import single_file_utils
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from sg_core.errors import WeightsError
from sg_core.models.model import Model
from sg_core.models.parts import Hardware, finished
from sg_core.models.pipeline_model import PipelineModel
from sg_core.models.stable_diffusion_1 import StableDiffusion1

PREFIXES: Mapping[str, Sequence[str]] = {
    "unet": ("lora_unet_", "unet."),
    "transformer": ("lora_unet_", "lora_transformer_", "transformer.", "diffusion_model."),
    "text_encoder": ("lora_te_", "lora_te1_", "text_encoder."),
    "text_encoder_2": ("lora_te2_", "text_encoder_2."),
}
DOWN = re.compile(r"\.(?:lora_down|lora_A|lora_A\.default|lora\.down)\.weight$")
FIRST_NUMBERING = re.compile(r"^lora_unet_(input_blocks|output_blocks|middle_block)_(\d+)_(?:([01]_))?")


@dataclass(frozen=True)
class Lora:
    """A LoRA in a safetensors file, and how much of it is added: 1 as it was trained, less, more, or against it."""

    file: Path
    weight: float = 1.0


def with_loras(model: Model, loras: Sequence[Lora]) -> Model:
    """The model with LoRAs added to its weights, in their order. It is the same object: to be rid of them, load anew.

    Raises WeightsError when a file is torn, holds numbers that are none, or is made for another model.
    """
    for lora in loras:
        _add(modules(model), lora)
    return model


def with_autoencoder(model: Model, file: Path) -> Model:
    """The model with another autoencoder of its kind, from a safetensors file of diffusers' names or the first code's.

    Raises WeightsError when the file is torn or is of another kind.
    """
    own: Any = modules(model).get("vae")
    if own is None:
        raise WeightsError(f"{model.card.name} has no autoencoder that could be another")
    tensors = _tensors(file)
    try:
        with torch.device("meta"):
            module = type(own).from_config(own.config)
        if not any(".down_blocks." in name or ".up_blocks." in name for name in tensors):
            tensors = single_file_utils.convert_ldm_vae_checkpoint(dict(tensors), own.config)
        missing = module.load_state_dict(tensors, strict=False, assign=True).missing_keys
    except (LookupError, ValueError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{file} is no autoencoder for {model.card.name}: {error}") from error
    other = finished(module, missing, str(file), Hardware(str(own.device), own.dtype))
    if isinstance(model, StableDiffusion1):
        return replace(model, autoencoder=other)
    assert isinstance(model, PipelineModel)
    model.pipe.vae = other
    return model


def fingerprint(file: Path) -> str:
    """The sha256 of a file: what a picture was painted with, whatever the file is called later."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def modules(model: Model) -> dict[str, nn.Module]:
    """A model's parts that hold weights, by diffusers' names. Raises WeightsError for a model that is of no family."""
    if isinstance(model, StableDiffusion1):
        return {"unet": model.network, "vae": model.autoencoder, "text_encoder": model.text_encoder}
    if isinstance(model, PipelineModel):
        return {name: part for name, part in model.pipe.components.items() if isinstance(part, nn.Module)}
    raise WeightsError(f"{model.card.name} takes no adapters")


def _add(parts: Mapping[str, nn.Module], lora: Lora) -> None:
    tensors = _renumbered(_tensors(lora.file), parts)
    layers = _layers(parts)
    pairs = {name[: match.start()]: name for name in tensors if (match := DOWN.search(name))}
    if strange := [name for name in tensors if "lora" not in name.lower() and not name.endswith(".alpha")]:
        raise WeightsError(f"{lora.file} holds {strange[0]}: it is no LoRA of a kind that Maquette reads")
    if not pairs or (absent := [name for name in pairs if name not in layers]):
        example = absent[0] if pairs else "no layer at all"
        raise WeightsError(f"{lora.file} is made for another kind of model: it changes {example}")
    halves = {name: _halves(tensors, name, down, lora.file) for name, down in pairs.items()}
    for name, (down, up) in halves.items():
        weight: Any = layers[name].weight
        if (len(up), down[0].numel()) != (len(weight), weight[0].numel()):
            raise WeightsError(f"{lora.file}: {name} is of another size, so it is made for another kind of model")
    for name, (down, up) in halves.items():  # only now, for a model that is half changed would be neither
        weight = layers[name].weight
        change = (lora.weight * up.flatten(1) @ down.flatten(1)).view(weight.shape)
        weight.data = (weight.data.float() + change.to(weight.device)).to(weight.dtype)


def _halves(tensors: Mapping[str, Tensor], name: str, down_name: str, file: Path) -> tuple[Tensor, Tensor]:
    """(down, up) of one layer in float32; times each other they are its change, alpha over their rank counted in."""
    up_name = down_name.replace("lora_down", "lora_up").replace("lora_A", "lora_B").replace("lora.down", "lora.up")
    if up_name not in tensors:
        raise WeightsError(f"{file} lacks {up_name}: get the file again")
    down, up = tensors[down_name].float(), tensors[up_name].float()
    if not bool(down.isfinite().all() and up.isfinite().all()):
        raise WeightsError(f"{file}: {name} holds numbers that are none (NaN or infinite): the file is damaged")
    alpha = float(tensors[f"{name}.alpha"]) if f"{name}.alpha" in tensors else float(len(down))
    return alpha / len(down) * down, up


def _layers(parts: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Every layer that a LoRA may change, under each of the names that files give it."""
    layers: dict[str, nn.Module] = {}
    for part, prefixes in PREFIXES.items():
        if part not in parts:
            continue
        for name, layer in parts[part].named_modules():
            if isinstance(getattr(layer, "weight", None), Tensor) and layer.weight.ndim in (2, 4):
                wrapped = (f"text_model.{name}",) if part.startswith("text_encoder") else ()  # newer classes have none
                for full in (name, *wrapped):
                    layers |= {p + (full if p.endswith(".") else full.replace(".", "_")): layer for p in prefixes}
    return layers


def _renumbered(tensors: Mapping[str, Tensor], parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """kohya's names in diffusers' numbering of a UNet's blocks, where they are in the first code's."""
    unet: Any = parts.get("unet")
    if unet is None:
        return dict(tensors)
    depth = unet.config.layers_per_block + 1  # what halves or doubles the sides counts as a layer

    def block(match: re.Match[str]) -> str:
        side, first, second = match[1], int(match[2]), match[3] or "0_"
        if side == "middle_block":
            return f"lora_unet_mid_block_{('resnets_0', 'attentions_0', 'resnets_1')[first]}_"
        index = first - 1 if side == "input_blocks" else first
        name = "down_blocks" if side == "input_blocks" else "up_blocks"
        kind = ("resnets", "attentions")[int(second[0])]
        return f"lora_unet_{name}_{index // depth}_{kind}_{index % depth}_"

    return {FIRST_NUMBERING.sub(block, name): weight for name, weight in tensors.items()}


def _tensors(file: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(file))
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{file} is torn or no safetensors: {error}. Get the file again") from error
