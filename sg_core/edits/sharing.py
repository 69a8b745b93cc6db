# SPDX-License-Identifier: MIT
"""Sharing attention: a region looks at a region of another picture as well as at its own (MasaCtrl, Cao et al. 2023).

Keys and values of the reference are recorded in a pass of its own at each step, and never stored. Beside its own keys a
cell of the new region is offered those of the reference's region; a cell elsewhere sees nothing of it. So a layer's
softmax decides by itself how much it takes over, and what is far from the region computes what it always did. Only the
cells of the region are computed again, with the keys that they are offered: a mask over all cells and all keys costs
several times as much.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sg_core.attention.coverage import on_grid
from sg_core.attention.hooks import active_inside, refuse_compiled, submodule
from sg_core.attention.tape import Grid
from sg_core.errors import RequestError
from sg_core.models.model import Model
from sg_core.tokens import Phrase

BELONGS = 0.25  # of a cell: what is covered as much is the region's

KeyValue = tuple[Tensor, Tensor]
SharedPart = tuple[Tensor, Tensor, float]
"""A mask in the reference, one in the picture, and a weight in 0..1."""


@dataclass(frozen=True, eq=False)
class SharedRegion:
    """A reference's keys and values by layer, and what is shared of them."""

    spoken: Mapping[str, KeyValue]
    parts: tuple[SharedPart, ...]


def self_attention(model: Model, latent: Tensor) -> Mapping[str, Grid]:
    """The layers where the picture looks at itself, with their grids for this latent (batch, channel, y, x).

    Raises RequestError for a family in which they do not lie apart from those that look at words.
    """
    layers = model.self_attention(latent)
    if not layers:
        raise RequestError(
            f"{model.card.name} looks at picture and words in the same layers, so that a reference's cannot be shared "
            "yet: keep the look without sharing, or choose a model of the Stable Diffusion 1 or XL families"
        )
    return layers


class KeyRecorder(TorchFunctionMode):
    """Notes one layer's keys and values in a table."""

    def __init__(self, layer: str, spoken: dict[str, KeyValue]) -> None:
        super().__init__()
        self.layer, self.spoken = layer, spoken

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func is F.scaled_dot_product_attention:
            self.spoken[self.layer] = (args[1].detach(), args[2].detach())
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True, eq=False)
class OfferedKeys:
    """Of one grid: the ``cells`` that are offered anything, of each reference the ``keys`` that are, as indices, and
    what is added to their scores, (cell, key of all references): the logarithm of a weight, -inf for no offer."""

    cells: Tensor
    keys: tuple[Tensor, ...]
    bias: Tensor


class KeyOffer(TorchFunctionMode):
    """Offers one layer the references' keys beside its own; ``offered`` are those of its grid, once they are known."""

    def __init__(
        self, layer: str, grid: Grid, regions: Sequence[SharedRegion], offered: dict[tuple[int, int], OfferedKeys]
    ) -> None:
        super().__init__()
        self.layer, self.grid, self.regions, self.offered = layer, grid, regions, offered

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func is F.scaled_dot_product_attention:
            return self._offered(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _offered(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Any = None, *rest: Any, **more: Any
    ) -> Any:
        if attn_mask is not None:
            raise RequestError(f"layer {self.layer} masks its attention, which cannot be shared yet")
        answer = F.scaled_dot_product_attention(query, key, value, None, *rest, **more)
        size = (self.grid.rows, self.grid.columns)
        if size not in self.offered:
            self.offered[size] = offered_keys([region.parts for region in self.regions], size, query)
        offer = self.offered[size]
        if not len(offer.cells):
            return answer
        keys, values = [key], [value]
        for region, chosen in zip(self.regions, offer.keys, strict=True):
            spoken_key, spoken_value = (spoken[:, :, chosen] for spoken in region.spoken[self.layer])
            keys.append(spoken_key.expand(len(key), -1, -1, -1))
            values.append(spoken_value.expand(len(value), -1, -1, -1))
        bias = torch.cat([offer.bias.new_zeros(len(offer.cells), key.shape[2]), offer.bias], 1)[None, None]
        own = F.scaled_dot_product_attention(
            query[:, :, offer.cells], torch.cat(keys, 2), torch.cat(values, 2), bias, *rest, **more
        )
        return answer.index_copy(2, offer.cells, own)


def offered_keys(regions: Sequence[Sequence[SharedPart]], size: tuple[int, int], like: Tensor) -> OfferedKeys:
    """What the parts of each reference offer on a grid of so many rows and columns, as numbers like ``like``."""

    def belongs(mask: Tensor) -> Tensor:
        return on_grid(mask, size, 1, Phrase("a shared region"), like)[0].flatten() >= BELONGS

    masks = [[(belongs(old), belongs(new), weight) for old, new, weight in parts] for parts in regions]
    covers = [new for parts in masks for _, new, _ in parts]
    cells = torch.stack(covers).any(0).nonzero()[:, 0]
    chosen, biases = [], []
    for parts in masks:
        keys = torch.stack([old for old, _, _ in parts]).any(0).nonzero()[:, 0]
        weights = like.new_zeros(len(cells), len(keys))
        for old, new, weight in parts:
            weights = torch.maximum(weights, weight * torch.outer(new[cells].to(like), old[keys].to(like)))
        chosen.append(keys)
        biases.append(torch.where(weights > 0, weights.clamp_min(1e-30).log(), -math.inf))
    return OfferedKeys(cells, tuple(chosen), torch.cat(biases, 1))


@contextmanager
def recorded(layers: Mapping[str, Grid], network: nn.Module) -> Iterator[dict[str, KeyValue]]:
    """Keys and values of one pass by layer: the table fills while it runs."""
    spoken: dict[str, KeyValue] = {}
    if layers:
        refuse_compiled(network)
    with ExitStack() as hooks:
        for name in layers:
            hooks.enter_context(active_inside(submodule(network, name), KeyRecorder(name, spoken)))
        yield spoken


@contextmanager
def sharing(layers: Mapping[str, Grid], network: nn.Module, regions: Sequence[SharedRegion]) -> Iterator[None]:
    """Until the block ends, these layers are offered what the regions hold."""
    refuse_compiled(network)
    offered: dict[tuple[int, int], OfferedKeys] = {}
    with ExitStack() as hooks:
        for name, grid in layers.items():
            hooks.enter_context(active_inside(submodule(network, name), KeyOffer(name, grid, regions, offered)))
        yield
