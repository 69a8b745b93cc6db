# SPDX-License-Identifier: MIT
"""One part of a model, read from a folder that a stranger made: no code, no pickles, nothing missing, nothing torn.

Of weights only safetensors are opened, and only those that lie in the part's own folder; whatever else is there is left
alone. Of a configuration only what its class knows is report, so that none can name code, kernels or other files. A
tensor that is missing would be random, and one that is not a number would paint black: both are refused here.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from sg_core.errors import WeightsError
from sg_core.models.folder import quiet, read_index, read_json
from weight_files.foreign import foreign_key
from weight_files.prediction import is_of_edm
from weight_files.vocabulary import has_vocabulary

LEGACY = ("torch_dtype", "rope_scaling", "rope_parameters", "hidden_activation")
"""Keys that hold text, and that earlier versions of a class wrote."""


@dataclass(frozen=True)
class Hardware:
    """Where a model computes, and in which precision its weights are."""

    device: str = "cpu"
    dtype: torch.dtype = torch.float32


def component(folder: Path, part: str, kinds: Sequence[str], hardware: Hardware) -> Any:
    """One part with weights, in evaluation mode, without gradients for its weights.

    Args:
        kinds: names of the classes it may be of; model_index.json says which.

    Raises WeightsError, which names the part, when anything about it is not as it must be.
    """
    return _component(class_of(folder, part, kinds), folder / part, hardware)


def standalone(path: Path, kinds: Sequence[str], hardware: Hardware) -> Any:
    """A network that lies in a folder by itself, read as warily as a part; its own config.json says its class.

    Raises WeightsError when it is none of ``kinds``, or anything else about it is not as it must be.
    """
    config = configuration(path)
    name = (config.get("architectures") or [config.get("_class_name")])[0]
    if name not in kinds:
        raise WeightsError(f"{path} holds a {name}, and a {' or '.join(kinds)} is needed")
    return _component(str(name), path, hardware)


def _component(name: str, path: Path, hardware: Hardware) -> Any:
    try:
        files = weight_files(path, "model" if hasattr(transformers, name) else "diffusion_pytorch_model")
        config = configuration(path)
        hardware = wide_enough(config, hardware)
        refuse_larger(name, config, files, str(path))
        with quiet():
            module, report = _read(name, path, config, "fp16" if ".fp16" in files[0].name else None, hardware.dtype)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError, SafetensorError) as error:
        raise WeightsError(f"{path} cannot be read: {type(error).__name__}: {_first_line(error)}") from error
    if wrong := list(report.get("mismatched_keys", ())):
        raise WeightsError(
            f"{path}: {_some([str(key) for key in wrong])} is of another size than its configuration says"
        )
    return finished(module, report["missing_keys"], str(path), hardware)


def finished(module: nn.Module, missing: Iterable[str], path: str, hardware: Hardware) -> nn.Module:
    """A part as it paints: in its place and precision, in evaluation mode, without gradients for its weights.

    Raises WeightsError when tensors are missing, or hold numbers that are none.
    """
    if absent := sorted(missing):
        raise WeightsError(f"{path} lacks {_some(absent)}: the file is not whole, or of another kind of model")
    refuse_unfinite(module, path)
    return nn.Module.to(module, hardware.device, hardware.dtype).requires_grad_(False).eval()


def _read(name: str, path: Path, config: Mapping[str, Any], variant: str | None, dtype: torch.dtype) -> Any:
    """(module, what the library says of its tensors)."""
    options = {"use_safetensors": True, "local_files_only": True, "output_loading_info": True, "variant": variant}
    if hasattr(transformers, name):
        kind = getattr(transformers, name)
        settings = kind.config_class.from_dict(understood(kind.config_class, config))
        return kind.from_pretrained(path, config=settings, dtype=dtype, **options)
    kind = getattr(diffusers, name)
    # diffusers warns when accelerate is missing unless told not to want it
    return kind.from_pretrained(path, torch_dtype=dtype, low_cpu_mem_usage=False, **options)


def refuse_larger(name: str, config: Mapping[str, Any], files: Sequence[Path], path: str) -> None:
    """Raise WeightsError when a configuration asks for a far larger network than the files hold, before it is made."""
    with torch.device("meta"), quiet():
        if hasattr(transformers, name):
            kind = getattr(transformers, name)
            network = kind(kind.config_class.from_dict(understood(kind.config_class, config)))
        else:
            network = getattr(diffusers, name).from_config(dict(config))
    wanted, held = sum(weight.numel() for weight in network.parameters()), sum(map(_count, files))
    if wanted > 2 * held:
        raise WeightsError(
            f"{path} holds {held:,} numbers, and its configuration says {wanted:,}: they do not belong together"
        )


def _count(file: Path) -> int:
    with safe_open(file, framework="pt") as weights:
        names: list[str] = weights.keys()
        return sum(math.prod(weights.get_slice(name).get_shape()) for name in names)


def wide_enough(config: Mapping[str, Any], hardware: Hardware) -> Hardware:
    """The hardware in float32 for a part that its configuration says overflows in float16, as XL's autoencoder does."""
    overflows = hardware.dtype == torch.float16 and bool(config.get("force_upcast"))
    return replace(hardware, dtype=torch.float32) if overflows else hardware


def tokenizer(folder: Path, part: str, kinds: Sequence[str]) -> Any:
    """A tokenizer. Raises WeightsError when it is of another class, or cannot be read."""
    name = class_of(folder, part, kinds)
    own = "PreTrainedTokenizerFast" if name in ("PixtralProcessor", "TokenizersBackend") else name
    return read_tokenizer(folder / part, own)


def read_tokenizer(path: Path, name: str) -> Any:
    """A tokenizer of this class, in this very folder. Raises WeightsError when it cannot be read."""
    if (settings := path / "tokenizer_config.json").is_file():
        _refuse_foreign(_object(settings), settings)
    _refuse_others(path)
    if not has_vocabulary(path):
        raise WeightsError(f"{path} holds no words, neither tokenizer.json nor any other list: get the folder again")
    try:
        return getattr(transformers, name).from_pretrained(path, local_files_only=True)
    except ImportError as error:
        raise WeightsError(f"{path} needs a package that is not installed: {_first_line(error)}") from error
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
        raise WeightsError(f"{path} cannot be read: {type(error).__name__}: {_first_line(error)}") from error


def read_noise(folder: Path) -> dict[str, Any]:
    """The configuration of a model's own scheduler. Raises WeightsError when it cannot be read."""
    path = folder / "scheduler" / "scheduler_config.json"
    if is_of_edm(noise := _object(path)):
        raise WeightsError(f"{path} is of EDM's kind, whose noise is not walked here")
    return noise


def class_of(folder: Path, part: str, kinds: Sequence[str]) -> str:
    """The class of a part, one of ``kinds``. Raises WeightsError when model_index.json names another, or none."""
    entry = read_index(folder).get(part)
    name = entry[1] if isinstance(entry, list) and len(entry) == 2 else None
    if name not in kinds:
        raise WeightsError(f"{folder}: {part} is {entry}, and this family needs a {' or '.join(kinds)}")
    return str(name)


def weight_files(path: Path, stem: str) -> list[Path]:
    """The files that hold a part's weights, each whole; those in half precision where there are no others.

    Args:
        stem: what the library that reads them calls them.

    Raises WeightsError when there are none, or one is torn, or an index names what is no safetensors of this folder.
    """
    for variant in ("", ".fp16"):
        single = path / f"{stem}{variant}.safetensors"
        index = path / f"{stem}.safetensors.index{variant}.json"
        if single.is_file():
            return [_checked(single)]
        if index.is_file():
            shards = set(_object(index)["weight_map"].values())
            return [_checked(path / name) for name in sorted(_plain_name(shard, index) for shard in shards)]
    others = sorted(file.name for file in path.glob("*") if file.suffix in (".bin", ".pt", ".pth", ".ckpt"))
    beside = f"; {_some(others)} may run code when it is read, and is not opened" if others else ""
    raise WeightsError(f"{path} has no safetensors: convert its weights first{beside}")


def configuration(path: Path) -> dict[str, Any]:
    """The configuration of a part. Raises WeightsError when it asks for what is not ours."""
    _refuse_others(path)
    config = _object(path / "config.json")
    _refuse_foreign(config, path / "config.json")
    return config


def understood(kind: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a configuration class of transformers knows of a document. What it does not know it is told where it is
    numbers and switches alone, as earlier versions wrote them: only text can name code.
    """
    if kind is transformers.AutoConfig:
        kind = transformers.CONFIG_MAPPING[config["model_type"]]
    defaults, parts = kind().to_dict(), kind.sub_configs
    return {
        key: understood(parts[key], value) if key in parts and isinstance(value, dict) else value
        for key, value in config.items()
        if key in defaults or key in parts or key in LEGACY or not _holds_text(value)
    }


def refuse_unfinite(module: nn.Module, path: str) -> None:
    """Raise WeightsError when a weight is not a finite number: such a model paints black, or nothing at all."""
    for name, weight in module.state_dict().items():
        if weight.is_floating_point() and not bool(_finite(weight)):
            raise WeightsError(f"{path}: {name} holds numbers that are none (NaN or infinite): the file is damaged")


def _finite(weight: Tensor) -> Tensor:
    """Whether all of it is finite, without a copy as large as itself: a sum is not finite if any part is not."""
    return torch.isfinite(weight.sum(dtype=torch.float64))


def _checked(path: Path) -> Path:
    """A safetensors file whose header fits the file. Raises WeightsError otherwise."""
    try:
        with safe_open(path, framework="pt") as weights:
            count = len(weights.keys())
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} is torn or no safetensors: {_first_line(error)}. Get the file again") from error
    if not count:
        raise WeightsError(f"{path} holds no weights. Get the file again")
    return path


def _plain_name(name: Any, index: Path) -> str:
    if not isinstance(name, str) or Path(name).name != name or not name.endswith(".safetensors"):
        raise WeightsError(f"{index} names {name!r}: only safetensors of its own folder are opened")
    return name


def _object(path: Path) -> dict[str, Any]:
    """A JSON file that holds an object. Raises WeightsError when it cannot be read as one."""
    try:
        document = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} cannot be read: {type(error).__name__}: {_first_line(error)}") from error
    if not isinstance(document, dict):
        raise WeightsError(f"{path} holds {json.dumps(document)[:40]}, and must hold an object")
    return document


def _refuse_others(path: Path) -> None:
    """Raise WeightsError for what a library would open by itself: pipes that never end, adapters of other models."""
    for file in sorted(path.glob("*")):
        if file.name.startswith("adapter_") or not (file.is_file() or file.is_dir()):
            raise WeightsError(f"{file} is not ours to open: take it out of the folder")


def _refuse_foreign(config: Any, path: Path) -> None:
    if key := foreign_key(config):
        raise WeightsError(f"{path} asks for {key}: custom code, kernels and quantised weights are not loaded")


def _holds_text(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_text, value.values()))
    return any(map(_holds_text, value)) if isinstance(value, list) else isinstance(value, str)


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")
