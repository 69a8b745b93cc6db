# SPDX-License-Identifier: MIT
"""A network that lies alone in a safetensors file, as the transformer families are passed around.

Configuration, text encoders and autoencoder come from a folder of the same family in diffusers' format. Names are
diffusers' or those of the network's first code, which diffusers' own tables translate; none may be left over, for a
weight that nobody reads is another network's. Weights in 8-bit floats without scales are widened when they are read:
each is exactly a number of bfloat16, so the network is a plain one.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sg_core.errors import WeightsError
from sg_core.models.folder import quiet
from sg_core.models.parts import Hardware, class_of, configuration, finished

PREFIXES = ("model.diffusion_model.", "diffusion_model.")
NARROW = (torch.float8_e4m3fn, torch.float8_e5m2)
SCALES = (".scale_weight", ".weight_scale", ".quant_map", ".qweight", "scaled_fp8")


def read_network(file: Path, folder: Path, part: str, kinds: Sequence[str], hardware: Hardware) -> nn.Module:
    """The network in a file, as the ``part`` of a folder is configured, without gradients for its weights.

    Raises WeightsError when the file is torn, quantised, of another size than the folder says, or not whole.
    """
    try:
        tensors = {name: widened(tensor) for name, tensor in network_tensors(load_file(file)).items()}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{file} is torn or no safetensors: {error}. Get the file again") from error
    refuse_scaled(tensors, file)
    network, config = empty_network(folder, part, kinds)
    try:
        weights = translated(tensors, network, config)
        report = network.load_state_dict(dict(weights), strict=False, assign=True)
    except (LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise unlike(file, folder / part, error) from error
    refuse_others(report.unexpected_keys, file)
    return finished(network, report.missing_keys, str(file), hardware)


def network_tensors(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the network by its own names; in a file that holds more, it stands behind a prefix."""
    for prefix in PREFIXES:
        if own := {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}:
            return own
    return dict(tensors)


def empty_network(folder: Path, part: str, kinds: Sequence[str]) -> tuple[nn.Module, dict[str, Any]]:
    """(a network of a folder's configuration, its weights without numbers; the configuration). Raises WeightsError."""
    name, config = class_of(folder, part, kinds), configuration(folder / part)
    try:
        with quiet(), _EmptyWithoutNumbers():
            network: nn.Module = getattr(diffusers, name).from_config(dict(config))
    except (LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise WeightsError(f"{folder / part} cannot be read: {type(error).__name__}: {error}") from error
    return network, config


class _EmptyWithoutNumbers(TorchFunctionMode):
    """Inside, what is about to be filled takes no memory. Positions and the like are computed as ever."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = dict(kwargs or {})
        if func is torch.empty:
            options["device"] = "meta"
        return func(*args, **options)


def translated(tensors: Mapping[str, Any], network: nn.Module, config: Mapping[str, Any]) -> dict[str, Any]:
    """A file's tensors by the names of the network. Raises LookupError and the like where it is another."""
    table = SINGLE_FILE_LOADABLE_CLASSES.get(type(network).__name__)
    if table is None or network.state_dict().keys() <= tensors.keys():
        return dict(tensors)
    converted: dict[str, Any] = table["checkpoint_mapping_fn"](checkpoint=dict(tensors), config=dict(config))
    return converted


def refuse_others(names: Sequence[str], file: Path) -> None:
    """Raise WeightsError for weights that the network does not have."""
    if names:
        raise WeightsError(f"{file} holds {sorted(names)[0]}, which its network does not have: it is of another kind")


def unlike(file: Path, part: Path, error: Exception) -> WeightsError:
    """What to say of a file whose network is another than a folder's."""
    first = next(iter(str(error).splitlines()), "")
    return WeightsError(f"{file} is of another size or kind than {part}: {type(error).__name__}: {first}")


def refuse_scaled(names: Iterable[str], file: Path) -> None:
    """Raise WeightsError for weights that are numbers only together with others that scale them."""
    if scaled := next((name for name in names if name.endswith(SCALES)), ""):
        raise WeightsError(f"{file} is quantised ({scaled}), and that is not read: get it in half precision")


def widened(tensor: Tensor) -> Tensor:
    """A tensor in bfloat16 where it is in 8-bit floats, each of which is exactly one of its numbers."""
    return tensor.to(torch.bfloat16) if tensor.dtype in NARROW else tensor
