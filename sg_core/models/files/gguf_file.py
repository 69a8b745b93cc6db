# SPDX-License-Identifier: MIT
"""A network that lies alone in a GGUF file: its large weights stay quantised, and are made numbers layer by layer.

That is diffusers' own ``GGUFLinear``: plain arithmetic, so a gradient goes through it as through the numbers; a test
compares the two. Autograd keeps the numbers of each layer that is heard until the way back, which costs what a network
in half precision costs, unless gradient checkpointing is on. Needs the package ``gguf``.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sg_core.errors import WeightsError
from sg_core.models.cards import gguf_header
from sg_core.models.files.network_file import empty_network, network_tensors, refuse_others, translated, unlike
from sg_core.models.parts import Hardware, finished

PLAIN = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


@dataclass(frozen=True)
class GgufWeights:
    """A network's weights by its own names: those that stay ``quantised``, all of linear layers, and the ``plain``."""

    quantised: Mapping[str, Any]
    plain: Mapping[str, Tensor]


def read_gguf(file: Path, folder: Path, part: str, kinds: Sequence[str], hardware: Hardware) -> nn.Module:
    """The network in a file, as the ``part`` of a folder is configured, without gradients for its weights.

    Raises WeightsError without the package, or when the file is torn, not whole, or of another size than the folder's.
    """
    layers = gguf_layers(file)
    network, config = empty_network(folder, part, kinds)
    with _compared(file, folder / part):
        weights = _sorted(layers, network, config, _tensors(layers, file, gguf_header(file)))
        for name, weight in weights.quantised.items():
            if not bool(layers.dequantize_gguf_tensor(weight).isfinite().all()):
                raise WeightsError(f"{file}: {name} holds numbers that are none (NaN or infinite): the file is damaged")
            _replace(network, name, _linear(layers, network.get_submodule(_owner(name)), weight, hardware.dtype))
        report = network.load_state_dict(dict(weights.plain), strict=False, assign=True)
    refuse_others(report.unexpected_keys, file)
    return finished(network, set(report.missing_keys) - set(weights.quantised), str(file), hardware)


def outline_gguf(network: nn.Module, config: Mapping[str, Any], file: Path, mode: Any) -> None:
    """Put what a file keeps quantised into a network whose tensors have shapes alone, of the mode that is given.

    Raises WeightsError as ``read_gguf`` does, as far as shapes say.
    """
    layers = gguf_layers(file)
    with _compared(file, file):
        weights = _sorted(layers, network, config, _tensors(layers, file, gguf_header(file), numbers=False))
    for name, weight in weights.quantised.items():
        with mode:
            _replace(network, name, _Outline(network.get_submodule(_owner(name)), weight.numel()))


class _Outline(nn.Module):
    """A quantised layer that has shapes alone: it takes its bytes, and makes its numbers whenever it is used."""

    def __init__(self, layer: Any, size: int) -> None:
        super().__init__()
        self.shape, self.bias = (layer.out_features, layer.in_features), layer.bias
        self.weight = nn.Parameter(torch.empty(size, dtype=torch.uint8), requires_grad=False)

    def forward(self, inputs: Tensor) -> Tensor:
        return F.linear(inputs, self.weight.new_empty(self.shape, dtype=inputs.dtype), self.bias)


def gguf_layers(file: Path) -> ModuleType:
    """Diffusers' layers for GGUF. Raises WeightsError without the package, or where its kernels would be used."""
    if find_spec("gguf") is None:
        raise WeightsError(f"{file} needs the package gguf: pip install 'maquette[gguf]'")
    from diffusers.quantizers.gguf import utils

    if utils.ops is not None:
        raise WeightsError(f"{file}: no gradient goes through GGUF's own kernels: unset DIFFUSERS_GGUF_CUDA_KERNELS")
    module: ModuleType = utils
    return module


def _tensors(
    layers: ModuleType, file: Path, tensors: Mapping[str, Mapping[str, Any]], numbers: bool = True
) -> dict[str, Any]:
    """The file's tensors, quantised ones as diffusers keeps them; with shapes alone unless ``numbers`` are wanted."""
    from gguf import GGMLQuantizationType

    content = np.memmap(file, np.uint8, "r") if numbers else None
    result: dict[str, Any] = {}
    for name, facts in network_tensors(tensors).items():
        shape, (begin, end) = facts["shape"], facts["data_offsets"]
        if content is None:
            raw = torch.empty(end - begin, dtype=torch.uint8, device="meta")
        else:
            raw = torch.from_numpy(np.array(content[begin:end]))
        if facts["dtype"] in PLAIN:
            result[name] = raw.view(PLAIN[facts["dtype"]]).reshape(shape)
        else:
            rows = raw.reshape(*shape[:-1], -1)
            result[name] = layers.GGUFParameter(rows, quant_type=GGMLQuantizationType[facts["dtype"]])
    return result


def _sorted(layers: ModuleType, network: nn.Module, config: Mapping[str, Any], tensors: dict[str, Any]) -> GgufWeights:
    """A file's tensors by the network's names. Raises LookupError and the like where it is another."""
    quantised: dict[str, Any] = {}
    plain: dict[str, Tensor] = {}
    shapes = {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
    for name, weight in translated(tensors, network, config).items():
        if not isinstance(weight, layers.GGUFParameter) or name not in shapes:
            plain[name] = weight
        elif name.endswith(".weight") and isinstance(network.get_submodule(_owner(name)), nn.Linear):
            if weight.quant_shape != shapes[name]:
                raise ValueError(f"{name} is {weight.quant_shape} and not {shapes[name]}")
            quantised[name] = weight
        else:
            plain[name] = weight if weight.is_meta else layers.dequantize_gguf_tensor(weight)
    return GgufWeights(quantised, plain)


def _owner(name: str) -> str:
    return name.rpartition(".")[0]


def _linear(layers: ModuleType, layer: Any, weight: Any, dtype: torch.dtype) -> nn.Module:
    """The layer, which makes its numbers from a quantised weight; the bias is yet to be filled."""
    with torch.device("meta"):
        linear: nn.Module = layers.GGUFLinear(
            layer.in_features, layer.out_features, layer.bias is not None, compute_dtype=dtype
        )
    linear.weight = weight
    return linear


def _replace(network: nn.Module, name: str, layer: nn.Module) -> None:
    parent, _, own = _owner(name).rpartition(".")
    setattr(network.get_submodule(parent), own, layer)


@contextmanager
def _compared(file: Path, part: Path) -> Iterator[None]:
    """Inside, what does not fit is a WeightsError."""
    try:
        yield
    except (LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise unlike(file, part, error) from error
