# SPDX-License-Identifier: MIT
"""How large a transformer is: as its file's tensors say, and as a folder's configuration does.

Of one family there are sizes, and networks that somebody made smaller by leaving blocks out. A folder can give its
other parts only to a network of its own size.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

PREFIX = r"(?:model\.)?(?:diffusion_model\.)?"
BLOCK = re.compile(rf"{PREFIX}(?:(?:double_|joint_|transformer_)?blocks|layers)\.(\d+)\.")
SINGLE = re.compile(rf"{PREFIX}single_(?:transformer_)?blocks\.(\d+)\.")
INNER = re.compile(rf"{PREFIX}(?:img_in|x_embedder|(?:x_embedder|pos_embed|patch_embed)\.proj|cap_embedder\.1)\.weight")
TEXT = re.compile(rf"{PREFIX}(?:txt_in|context_embedder|cap_embedder\.1|caption_projection\.linear_1)\.weight")


@dataclass(frozen=True)
class NetworkSize:
    """``blocks``, ``single`` ones behind them, the ``width`` inside, that of the ``words`` it is told; 0 is unknown."""

    blocks: int = 0
    single: int = 0
    width: int = 0
    words: int = 0

    def fits(self, other: "NetworkSize") -> bool:
        """Whether the two may be of one network: nothing that both say differs."""
        return all(own == their for own, their in zip(astuple(self), astuple(other), strict=True) if own and their)

    def __str__(self) -> str:
        """In words that go on after "it has"."""
        single = f" and {self.single} single" if self.single else ""
        width = f", {self.width} wide" if self.width else ""
        return f"{self.blocks}{single} blocks{width}{f', told words {self.words} wide' if self.words else ''}"


UNKNOWN = NetworkSize()


def network_size(tensors: Mapping[str, Mapping[str, Any]]) -> NetworkSize:
    """Of the network whose tensors these are, by diffusers' names or those of its first code."""
    return NetworkSize(
        _count(tensors, BLOCK), _count(tensors, SINGLE), _side(tensors, INNER, 0), _side(tensors, TEXT, 1)
    )


def other_size(size: NetworkSize, configured: NetworkSize) -> str:
    """Why a network is not painted with the other parts of a folder that configures another size."""
    return f"has {size}, and the folder of that family has {configured}: get the folder of this very model"


def size_of_folder(folder: Path) -> NetworkSize:
    """How large a transformer a folder in diffusers' format configures; NetworkSize() where it has none."""
    file = folder / "transformer" / "config.json"
    try:
        return configured_size(json.loads(file.read_text("utf-8"))) if file.is_file() else NetworkSize()
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return NetworkSize()


def configured_size(config: Mapping[str, Any]) -> NetworkSize:
    """Of the network that a configuration of diffusers says; what it leaves to its class is unknown."""
    heads = _integer(config, "num_attention_heads") * _integer(config, "attention_head_dim")
    return NetworkSize(
        _integer(config, "num_layers", "n_layers"),
        _integer(config, "num_single_layers"),
        heads or _integer(config, "dim"),
        _integer(config, "joint_attention_dim", "cap_feat_dim", "caption_channels"),
    )


def _count(tensors: Mapping[str, Any], pattern: re.Pattern[str]) -> int:
    return 1 + max((int(match[1]) for name in tensors if (match := pattern.match(name))), default=-1)


def _side(tensors: Mapping[str, Mapping[str, Any]], pattern: re.Pattern[str], axis: int) -> int:
    """A side of the first tensor that is called so; of a quantised one too, whose header says its numbers."""
    shape: list[int] = next((facts["shape"] for name, facts in tensors.items() if pattern.fullmatch(name)), [])
    return int(shape[axis]) if axis < len(shape) else 0


def _integer(config: Mapping[str, Any], *keys: str) -> int:
    """The first of these that a configuration says; 0 where it says none, or no number."""
    value = next((config[key] for key in keys if config.get(key)), 0)
    return value if isinstance(value, int) else 0
