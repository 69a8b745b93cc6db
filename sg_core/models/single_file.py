# SPDX-License-Identifier: MIT
"""Single checkpoint files, as artists have them: every part in one safetensors file, under the names of its first code.

A file has no configuration and no tokenizer, so both ship with us; a folder in diffusers' format beside it, of the same
name and with weights or without, says another configuration. Nothing is asked of a hub. The names are translated by
diffusers' own tables.
"""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.loaders import single_file_utils
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor, nn
from transformers import CLIPTokenizer

from sg_core.errors import WeightsError
from sg_core.models.cards import CONFIGURATIONS, configuration_of, header, kind_of_file
from sg_core.models.files.network_file import refuse_scaled, widened
from sg_core.models.folder import quiet
from sg_core.models.parts import Hardware, configuration, finished, read_noise, wide_enough
from weight_files.checkpoint_shapes import unlike
from weight_files.prediction import stated_noise
from weight_files.safetensors_header import Unreadable

ENCODER = ("embeddings.", "encoder.", "final_layer_norm.")  # what stands in CLIP's ``text_model``
MERGES = CONFIGURATIONS / "clip-merges.txt.gz"
Tensors = Mapping[str, Tensor]


def read_parts(file: Path, hardware: Hardware) -> tuple[dict[str, Any], Path]:
    """(parts by name, the folder of their configuration) of a checkpoint file.

    Raises WeightsError when it is torn, lacks a tensor, holds numbers that are none, or is of no family we know.
    """
    folder = configuration_of(file)
    _refuse_unlike(file, folder)
    try:
        tensors: Tensors = {name: widened(weight) for name, weight in load_file(file).items()}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{file} is torn or no safetensors: {error}. Get the file again") from error
    refuse_scaled(tensors, file)
    parts: dict[str, Any] = {}
    for part, translate in TRANSLATIONS.items():
        if (folder / part).is_dir():
            parts[part] = _module(file, part, configuration(folder / part), translate, tensors, hardware)
            if part.startswith("text_encoder"):
                words = part.replace("text_encoder", "tokenizer")
                parts[words] = _tokenizer(folder / words, parts[part], _padding(part, parts[part]))
    return parts, folder


def _refuse_unlike(file: Path, folder: Path) -> None:
    """Raise WeightsError for a file whose header says that it is not what the folder configures."""
    try:
        trouble = unlike(header(file), folder, kind_of_file(file))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{folder} cannot be read: {type(error).__name__}: {error}") from error
    if trouble:
        raise WeightsError(f"{file}: {trouble}")


def read_file_noise(file: Path) -> dict[str, Any]:
    """The configuration of a checkpoint file's scheduler: what ships, and over it what the file says of itself; where a
    folder beside it has a configuration, over both what that says. Raises WeightsError.
    """
    folder = configuration_of(file)
    try:
        stated = stated_noise(file)
    except (OSError, Unreadable) as error:
        raise WeightsError(f"{file} is torn or no safetensors: {error}") from error
    shipped = folder.is_relative_to(CONFIGURATIONS)
    return {**read_noise(folder), **stated} if shipped else {**stated, **read_noise(folder)}


def _module(
    file: Path,
    part: str,
    config: Mapping[str, Any],
    translate: Callable[[dict[str, Tensor], Mapping[str, Any], nn.Module], Tensors],
    tensors: Tensors,
    hardware: Hardware,
) -> nn.Module:
    name = config.get("_class_name") or config["architectures"][0]
    with quiet():
        if hasattr(transformers, name):
            kind = getattr(transformers, name)
            module: nn.Module = kind(kind.config_class.from_dict(dict(config)))
        else:
            with torch.device(
                "meta"
            ):  # its weights are about to be replaced, and drawing them would take half a minute
                module = getattr(diffusers, name).from_config(dict(config))
    try:
        with quiet():
            weights = dict(translate(dict(tensors), config, module))
        missing = module.load_state_dict(weights, strict=False, assign=True).missing_keys
    except (LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise WeightsError(f"{file}: its {part} is of another size or kind than ours: {error}") from error
    return finished(module, missing, f"{file} ({part})", wide_enough(config, hardware))


def _unet(tensors: dict[str, Tensor], config: Mapping[str, Any], module: nn.Module) -> Tensors:
    converted: Tensors = single_file_utils.convert_ldm_unet_checkpoint(tensors, config)
    return converted


def _vae(tensors: dict[str, Tensor], config: Mapping[str, Any], module: nn.Module) -> Tensors:
    converted: Tensors = single_file_utils.convert_ldm_vae_checkpoint(tensors, config)
    return converted


def _first_encoder(tensors: dict[str, Tensor], config: Mapping[str, Any], module: nn.Module) -> Tensors:
    """CLIP, or in version 2 OpenCLIP."""
    if "cond_stage_model.model.token_embedding.weight" in tensors:
        return _open_clip(tensors, module, "cond_stage_model.model.")
    return _unwrapped(single_file_utils.convert_ldm_clip_checkpoint(tensors), module)


def _second_encoder(tensors: dict[str, Tensor], config: Mapping[str, Any], module: nn.Module) -> Tensors:
    return _open_clip(tensors, module, "conditioner.embedders.1.model.")


def _open_clip(tensors: dict[str, Tensor], module: nn.Module, prefix: str) -> Tensors:
    return _unwrapped(single_file_utils.convert_open_clip_checkpoint(module, tensors, prefix=prefix), module)


def _unwrapped(tensors: Tensors, module: nn.Module) -> Tensors:
    """Newer versions of transformers have no ``text_model`` around one of two classes, and some merges name none."""
    bare = {name.removeprefix("text_model."): weight for name, weight in tensors.items()}
    if not hasattr(module, "text_model"):
        return bare
    return {f"text_model.{name}" if name.startswith(ENCODER) else name: weight for name, weight in bare.items()}


TRANSLATIONS: Mapping[str, Callable[[dict[str, Tensor], Mapping[str, Any], nn.Module], Tensors]] = {
    "unet": _unet,
    "vae": _vae,
    "text_encoder": _first_encoder,
    "text_encoder_2": _second_encoder,
}


def _padding(part: str, encoder: Any) -> str:
    """What its first code padded prompts with: OpenCLIP with its first token, CLIP with the end mark."""
    return "!" if part == "text_encoder_2" or encoder.config.hidden_act == "gelu" else "<|endoftext|>"


def _tokenizer(folder: Path, encoder: Any, padding: str) -> Any:
    """The folder's own, else CLIP's."""
    length = encoder.config.max_position_embeddings
    if folder.is_dir():
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True, model_max_length=length)
    return clip_tokenizer(padding, length)


def clip_tokenizer(padding: str = "<|endoftext|>", length: int = 77) -> Any:
    """CLIP's own (Radford et al. 2021), from the merges that ship: 49,408 tokens."""
    pairs = [tuple(line.split()) for line in gzip.decompress(MERGES.read_bytes()).decode("utf-8").splitlines()]
    letters = sorted(ByteLevel.alphabet(), key=_byte_order)
    ends = [f"{letter}</w>" for letter in letters]
    tokens = [*letters, *ends, *map("".join, pairs), "<|startoftext|>", "<|endoftext|>"]
    numbered = {token: i for i, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=numbered, merges=pairs, pad_token=padding, model_max_length=length)


def _byte_order(letter: str) -> tuple[bool, int]:
    """Bytes that can be printed come first, in their own order; the others follow as the letters they were given."""
    return ord(letter) > 255, ord(letter)
