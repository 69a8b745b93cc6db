# SPDX-License-Identifier: MIT
"""ControlNets (Zhang et al. 2023) beside a UNet: a network that looks at a picture of depth or edges, and adds to the
UNet's layers what it makes of it.

What it adds goes in as diffusers' UNets take it, so the UNet's own layers and their attention stay as they are: what
listens and what masks knows nothing of it, and an energy's gradient runs through both networks.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from diffusers.loaders import single_file_utils
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from sg_core.attention.hooks import refuse_compiled
from sg_core.errors import RequestError, WeightsError
from sg_core.models.folder import quiet
from sg_core.models.model import Model, of_size
from sg_core.models.parts import Hardware, configuration, finished, refuse_larger, weight_files
from sg_core.schedule import Schedule

KIND = "ControlNetModel"
STEM = "diffusion_pytorch_model"  # of the weights in a folder of diffusers' format
ADDED = ("down_block_additional_residuals", "mid_block_additional_residual")  # what a UNet calls them
HINT = "input_hint_block.{}"  # in the first code's names
SHARED = (
    "in_channels",
    "block_out_channels",
    "layers_per_block",
    "cross_attention_dim",
    "addition_embed_type",
    "projection_class_embeddings_input_dim",
)
"""What a ControlNet's configuration and its UNet's have to say alike."""

LEVELS = tuple(
    (f"controlnet_cond_embedding.{name}.weight", f"control_model.{first}.weight", f"{first}.weight")
    for name, first in (("conv_in", HINT.format(0)), *((f"blocks.{2 * i - 1}", HINT.format(4 * i)) for i in (1, 2, 3)))
)
"""The convolutions that end a level of what looks at the picture, by the names that each may have."""


@dataclass(frozen=True, eq=False)
class Control:
    """A ControlNet as ``controlnet`` loads it, what it looks at, (1 or batch, 3, y, x) in 0..1, and how much of what it
    makes of that is added, by progress: 1 is as it was trained."""

    network: nn.Module
    picture: Tensor
    weight: Schedule


def controlnet(model: Model, path: Path) -> nn.Module:
    """A ControlNet for a model, on its device and in its precision, without gradients for its weights.

    Args:
        path: a folder in diffusers' format, or one safetensors file of diffusers' names or the first code's. The
            config.json beside a file of diffusers' name counts; any other is taken to be like the model's UNet.

    Raises WeightsError when it is torn, pickled, holds numbers that are none, or is made for another kind of model.
    """
    unet: Any = model.network
    if not isinstance(unet, UNet2DConditionModel):
        raise WeightsError(f"{model.card.name} takes no ControlNet: choose a Stable Diffusion 1.5, 2.1 or XL model")
    files = weight_files(path, STEM) if path.is_dir() else [path]
    tensors = {name: weight for file in files for name, weight in _tensors(file).items()}
    beside = path if path.is_dir() else path.parent
    own = path.is_dir() or (path.name.startswith(STEM) and (beside / "config.json").is_file())
    module = _described(beside, files) if own else _like(unet, path, tensors)
    if unlike := [key for key in SHARED if _plain(module.config.get(key)) != _plain(unet.config.get(key))]:
        raise WeightsError(f"{path} is made for another kind of model than {model.card.name}: its {unlike[0]} differs")
    try:
        converted = single_file_utils.convert_controlnet_checkpoint(tensors, module.config)
        weights = {name: weight for name, weight in converted.items() if weight is not None} | _sizes_told(tensors)
        missing, strange = module.load_state_dict(weights, strict=False, assign=True)
    except (LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise WeightsError(f"{path} is no ControlNet for {model.card.name}: {error}") from error
    if strange:
        raise WeightsError(f"{path} holds {strange[0]}: it is no ControlNet of a kind that Maquette reads")
    first = next(unet.parameters())
    return finished(module, missing, str(path), Hardware(str(first.device), first.dtype))


@contextmanager
def controlled(network: nn.Module, controls: Sequence[Control], progress: float) -> Iterator[None]:
    """Until the block ends, the network is told what the ControlNets that weigh anything at this progress add up to.

    Leave it after the gradient was taken. Without such it does nothing at all.

    Raises RequestError for a network that takes nothing of the kind, AttentionError for a compiled one.
    """
    active = [(control, weight) for control in controls if (weight := control.weight(progress))]
    if not active:
        yield
        return
    refuse_compiled(network)
    if ADDED[0] not in inspect.signature(network.forward).parameters:
        raise RequestError("this model takes no ControlNet: choose a Stable Diffusion 1.5, 2.1 or XL model")
    for control, _ in active:
        _checkpoint_like(network, control.network)

    def add(module: nn.Module, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[()], dict[str, Any]]:
        inputs = inspect.signature(module.forward).bind(*args, **options).arguments
        parts = [residuals(control, weight, inputs) for control, weight in active]
        down, middle = (zip(*(part[0] for part in parts), strict=True), [part[1] for part in parts])
        added = ([_sum(level) for level in down], _sum(middle))
        return (), {**inputs, **dict(zip(ADDED, added, strict=True))}

    with network.register_forward_pre_hook(add, with_kwargs=True):
        yield


def residuals(control: Control, weight: float, inputs: Mapping[str, Any]) -> tuple[tuple[Tensor, ...], Tensor]:
    """What a ControlNet adds to each layer on the way down, and in the middle, given what the UNet is told."""
    sample: Tensor = inputs["sample"]
    network: Any = control.network
    cell = 2 ** (len(network.config.conditioning_embedding_out_channels) - 1)  # pixels that it makes one place of
    picture = of_size(control.picture, sample.shape[3] * cell, sample.shape[2] * cell)
    down, middle = network(
        sample,
        inputs["timestep"],
        inputs["encoder_hidden_states"],
        picture.to(sample).expand(len(sample), -1, -1, -1),
        conditioning_scale=weight,
        added_cond_kwargs=inputs.get("added_cond_kwargs"),
        return_dict=False,
    )
    return tuple(down), middle


def _described(folder: Path, files: Sequence[Path]) -> Any:
    """The network that a config.json describes, without weights."""
    config = configuration(folder)
    if config.get("_class_name") != KIND:
        raise WeightsError(f"{folder} holds a {config.get('_class_name')}, and a {KIND} is needed")
    try:
        refuse_larger(KIND, config, files, str(folder))
        with torch.device("meta"), quiet():
            return ControlNetModel.from_config(config)
    except (LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise WeightsError(f"{folder} cannot be read: {type(error).__name__}: {error}") from error


def _like(unet: Any, path: Path, tensors: Mapping[str, Tensor]) -> Any:
    """A ControlNet that looks like the first half of this UNet, without weights."""
    levels = [next((tensors[name] for name in names if name in tensors), None) for names in LEVELS]
    channels = tuple(len(weight) for weight in levels if weight is not None)
    if not channels:
        raise WeightsError(f"{path} is no ControlNet: nothing in it looks at a picture")
    with torch.device("meta"), quiet():
        return ControlNetModel.from_unet(
            unet, load_weights_from_unet=False, conditioning_embedding_out_channels=channels
        )


def _sizes_told(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What XL is told of sizes, out of the first code's names, of which diffusers' table for ControlNets has none."""
    named = {name.removeprefix("control_model."): weight for name, weight in tensors.items()}
    return {
        new + name.removeprefix(old): weight
        for name, weight in named.items()
        for old, new in (("label_emb.0.0", "add_embedding.linear_1"), ("label_emb.0.2", "add_embedding.linear_2"))
        if name.startswith(f"{old}.")
    }


def _checkpoint_like(network: Any, control: Any) -> None:
    """A ControlNet saves as much memory as its UNet does."""
    on = bool(getattr(network, "is_gradient_checkpointing", False))
    if control.is_gradient_checkpointing != on:
        (control.enable_gradient_checkpointing if on else control.disable_gradient_checkpointing)()


def _sum(parts: Sequence[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _tensors(file: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(file))
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{file} is torn or no safetensors: {error}. Get the file again") from error
