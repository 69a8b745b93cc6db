# SPDX-License-Identifier: MIT
"""What artists put on top of a model: LoRAs (Hu et al. 2021), several and weighted, another autoencoder, a ControlNet.

A LoRA is added to the weights themselves: it costs nothing per step, and layers keep their names, so what listens
and what masks knows nothing of it. Names are kohya's (``lora_unet_down_blocks_0_...``, also in the first code's
numbering) or diffusers' (``unet.down_blocks.0...``); a layer that this model does not have is an error, for a LoRA that
is half there is another LoRA.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders import single_file_utils
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from sg_core.errors import WeightsError
from sg_core.models.companions.controlnet import controlnet
from sg_core.models.companions.lora_names import DOWN, named_layers, renamed, stated_alpha, up_name
from sg_core.models.files.network_file import widened
from sg_core.models.model import Model
from sg_core.models.parts import Hardware, finished
from sg_core.models.pipeline_model import PipelineModel
from sg_core.models.stable_diffusion_1 import StableDiffusion1
from weight_files.fingerprint import content_sha256, with_configuration

STATED = "lora_adapter_metadata"  # the note of a file's header that diffusers writes
Halves = tuple[float, Tensor, Tensor]
"""(scale, down, up) of one layer, in the precision of their file; their product in float32 is what is added."""

Pairs = Mapping[nn.Module, Halves]
"""What a LoRA changes: the layers, and the halves of each."""


@dataclass(frozen=True)
class Lora:
    """A LoRA in a safetensors file, and how much of it is added: 1 as it was trained, less, more, or against it."""

    file: Path
    weight: float = 1.0


@dataclass(frozen=True)
class FileState:
    """A file as it is now: one that is written anew is another."""

    file: Path
    size: int
    modified: int


class Fitting:
    """What is on top of a model, and the way back from it. ``control`` is the ControlNet beside it, if there is one.

    ``fit`` says all that is to be on it from now on. Weights change in place, a model is never read anew: those that
    LoRAs change are kept in main memory as they were, and put back bit for bit. Files in use are read once.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._own: Any = modules(model).get("vae")
        self._before: dict[nn.Module, Tensor] = {}
        self._pairs: dict[FileState, Pairs] = {}
        self._autoencoder: FileState | None = None
        self._control: FileState | None = None
        self.control: nn.Module | None = None

    @property
    def beside(self) -> int:
        """Bytes of the ControlNet's weights."""
        return sum(weight.nbytes for weight in self.control.parameters()) if self.control is not None else 0

    def fit(self, loras: Sequence[Lora] = (), autoencoder: Path | None = None, control: Path | None = None) -> Model:
        """The model with these LoRAs, their changes added up, and this autoencoder; its own with None. A ``control``
        is loaded, and no more: ``control`` of a layout puts it to use.

        A LoRA of weight 0 is none, bit for bit. Raises WeightsError, and then nothing has changed, as ``with_loras``,
        ``with_autoencoder`` and ``controlnet`` do.
        """
        added = [lora for lora in loras if lora.weight]
        states = [state_of(lora.file) for lora in added]
        read = {state: self._pairs.get(state) or _pairs(modules(self.model), state.file) for state in states}
        beside = state_of(control) if control is not None else None
        if beside is None or beside != self._control:
            self.control = None  # two need not fit
        network = self.control or (controlnet(self.model, beside.file) if beside is not None else None)
        self._decode_with(state_of(autoencoder) if autoencoder is not None else None)
        self._control, self.control = beside, network
        self._change([(lora.weight, read[state]) for lora, state in zip(added, states, strict=True)])
        self._pairs = read
        return self.model

    def _decode_with(self, state: "FileState | None") -> None:
        if state != self._autoencoder:
            self.model = _decoding(self.model, self._own) if state is None else with_autoencoder(self.model, state.file)
            self._autoencoder = state

    def _change(self, loras: Sequence[tuple[float, Pairs]]) -> None:
        changes: dict[nn.Module, list[Halves]] = {}
        for share, pairs in loras:
            for layer, (scale, down, up) in pairs.items():
                changes.setdefault(layer, []).append((share * scale, down, up))
        for layer in [layer for layer in self._before if layer not in changes]:
            weight = _weight(layer)
            weight.data = self._before.pop(layer).to(weight.device)
        for layer, parts in changes.items():
            weight = _weight(layer)
            before = self._before.setdefault(layer, weight.data.cpu())
            weight.data = changed(before.to(weight.device), parts)


def changed(weight: Tensor, changes: Sequence[Halves]) -> Tensor:
    """A layer's weight with changes added up, in float32 until all are."""
    total = weight.float()
    for scale, down, up in changes:
        left, right = (half.to(weight.device, torch.float32).flatten(1) for half in (up, down))
        total = total + (scale * left @ right).view(weight.shape)
    return total.to(weight.dtype)


def with_loras(model: Model, loras: Sequence[Lora]) -> Model:
    """The model with LoRAs added to its weights, for good. It is the same object; ``Fitting`` knows the way back.

    Raises WeightsError when a file is torn, holds numbers that are none, or is made for another model.
    """
    return Fitting(model).fit(loras)


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
    return _decoding(model, finished(module, missing, str(file), Hardware(str(own.device), own.dtype)))


def _decoding(model: Model, autoencoder: nn.Module) -> Model:
    if isinstance(model, StableDiffusion1):
        return replace(model, autoencoder=autoencoder)
    assert isinstance(model, PipelineModel)
    model.pipe.vae = autoencoder
    return model


def fingerprint(file: Path) -> str:
    """The sha256 of a file: what a picture was painted with, whatever the file is called later."""
    return content_sha256(file)


def state_of(file: Path) -> FileState:
    """A file as it is now. Raises WeightsError when there is none."""
    try:
        facts = [one.stat() for one in with_configuration(file)]
    except OSError as error:
        raise WeightsError(f"{file} cannot be read: {error.strerror}") from error
    return FileState(file, sum(one.st_size for one in facts), max(one.st_mtime_ns for one in facts))


def modules(model: Model) -> dict[str, nn.Module]:
    """A model's parts that hold weights, by diffusers' names. Raises WeightsError for a model that is of no family."""
    if isinstance(model, StableDiffusion1):
        return {"unet": model.network, "vae": model.autoencoder, "text_encoder": model.text_encoder}
    if isinstance(model, PipelineModel):
        return {name: part for name, part in model.pipe.components.items() if isinstance(part, nn.Module)}
    raise WeightsError(f"{model.card.name} takes no adapters")


def _pairs(parts: Mapping[str, nn.Module], file: Path) -> Pairs:
    """What a file changes. Raises WeightsError unless it fits all of them."""
    layers = named_layers(parts)
    tensors, stated = renamed(_tensors(file), parts, layers), _stated(file)
    downs = {name[: match.start()]: name for name in tensors if (match := DOWN.search(name))}
    known = {*downs.values(), *map(up_name, downs.values()), *(f"{name}.alpha" for name in downs)}
    if strange := [name for name in tensors if name not in known]:
        raise WeightsError(f"{file} holds {strange[0]}: it is no LoRA of a kind that Maquette reads")
    if not downs or (absent := [name for name in downs if name not in layers]):
        example = absent[0] if downs else "no layer at all"
        raise WeightsError(f"{file} is made for another kind of model: it changes {example}")
    if any(not _weight(layers[name]).is_floating_point() for name in downs):
        raise WeightsError(f"{file} cannot be added to quantised weights: choose the model in half precision")
    halves = {name: _halves(tensors, name, down, file, stated) for name, down in downs.items()}
    for name, (_, down, up) in halves.items():
        weight = _weight(layers[name])
        if (len(up), down[0].numel()) != (len(weight), weight[0].numel()):
            raise WeightsError(f"{file}: {name} is of another size, so it is made for another kind of model")
    return {layers[name]: pair for name, pair in halves.items()}


def _weight(layer: nn.Module) -> Tensor:
    weight: Any = layer.weight
    assert isinstance(weight, Tensor)
    return weight


def _halves(tensors: Mapping[str, Tensor], name: str, down_name: str, file: Path, stated: Mapping[str, Any]) -> Halves:
    """Those of one layer; the scale is its alpha over their rank."""
    other = up_name(down_name)
    if other not in tensors:
        raise WeightsError(f"{file} lacks {other}: get the file again")
    down, up, scale = tensors[down_name], tensors[other], tensors.get(f"{name}.alpha")
    rank = len(down) if min(down.ndim, up.ndim) > 1 else 0
    if not rank or not len(up) or up[0].numel() != rank or (scale is not None and scale.numel() != 1):
        raise WeightsError(f"{file}: {name} has halves that do not belong together: the file is damaged")
    try:
        alpha = stated_alpha(stated, name, rank) if scale is None else float(scale)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"{file}: what it states of its alpha is no number") from error
    if not (math.isfinite(alpha) and bool(down.isfinite().all() and up.isfinite().all())):
        raise WeightsError(f"{file}: {name} holds numbers that are none (NaN or infinite): the file is damaged")
    return alpha / rank, down, up


def _stated(file: Path) -> dict[str, Any]:
    """What PEFT wrote of a LoRA into the notes of its file; nothing where that is no JSON object."""
    with safe_open(file, framework="pt") as opened:
        notes = opened.metadata() or {}
    try:
        stated = json.loads(notes.get(STATED, "{}"))
    except (ValueError, RecursionError):
        return {}
    return stated if isinstance(stated, dict) else {}


def _tensors(file: Path) -> dict[str, Tensor]:
    try:
        return {name: widened(tensor) for name, tensor in load_file(file).items()}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{file} is torn or no safetensors: {error}. Get the file again") from error
