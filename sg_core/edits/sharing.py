# SPDX-License-Identifier: MIT
"""Sharing attention: a region looks at a region of another picture as well as at its own (MasaCtrl, Cao et al. 2023).

Keys and values of the reference are recorded in a pass of its own at each step, and never stored. Beside its own keys a
cell of the new region is offered those of the reference's region; a cell elsewhere sees nothing of it. So a layer's
softmax decides by itself how much it takes over, and what is far from the region computes what it always did.
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


@dataclass(frozen=True, eq=False)
class SharedRegion:
    """A reference's keys and values by layer, and (old mask, new mask, weight in 0..1) of what is shared of them."""

    spoken: Mapping[str, KeyValue]
    parts: tuple[tuple[Tensor, Tensor, float], ...]


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


class KeyOffer(TorchFunctionMode):
    """Offers one layer the references' keys beside its own."""

    def __init__(self, layer: str, grid: Grid, regions: Sequence[SharedRegion]) -> None:
        super().__init__()
        self.layer, self.grid, self.regions = layer, grid, regions

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func is F.scaled_dot_product_attention:
            return self._offered(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _offered(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Any = None, *rest: Any, **more: Any
    ) -> Any:
        if attn_mask is not None:
            raise RequestError(f"layer {self.layer} masks its attention, which cannot be shared yet")
        keys, values, biases = [key], [value], [query.new_zeros(query.shape[2], key.shape[2])]
        for region in self.regions:
            spoken_key, spoken_value = region.spoken[self.layer]
            keys.append(spoken_key.expand(len(key), -1, -1, -1))
            values.append(spoken_value.expand(len(value), -1, -1, -1))
            biases.append(offer(region.parts, self.grid, query))
        bias = torch.cat(biases, 1)[None, None]
        return F.scaled_dot_product_attention(query, torch.cat(keys, 2), torch.cat(values, 2), bias, *rest, **more)


def offer(parts: Sequence[tuple[Tensor, Tensor, float]], grid: Grid, like: Tensor) -> Tensor:
    """What is added to the scores of a reference's keys: (query, key), the logarithm of a weight, -inf for no offer."""
    size = (grid.rows, grid.columns)
    weights = like.new_zeros(grid.rows * grid.columns, grid.rows * grid.columns)
    for old, new, weight in parts:
        theirs, own = (on_grid(mask, size, 1, Phrase("a shared region"), like)[0].flatten() for mask in (old, new))
        weights = torch.maximum(weights, weight * torch.outer((own >= BELONGS).to(like), (theirs >= BELONGS).to(like)))
    return torch.where(weights > 0, weights.clamp_min(1e-30).log(), -math.inf)


@contextmanager
def recorded(layers: Mapping[str, Grid], network: nn.Module) -> Iterator[dict[str, KeyValue]]:
    """Keys and values of one pass by layer: the table fills while it runs."""
    refuse_compiled(network)
    spoken: dict[str, KeyValue] = {}
    with ExitStack() as hooks:
        for name in layers:
            hooks.enter_context(active_inside(submodule(network, name), KeyRecorder(name, spoken)))
        yield spoken


@contextmanager
def sharing(layers: Mapping[str, Grid], network: nn.Module, regions: Sequence[SharedRegion]) -> Iterator[None]:
    """Until the block ends, these layers are offered what the regions hold."""
    refuse_compiled(network)
    with ExitStack() as hooks:
        for name, grid in layers.items():
            hooks.enter_context(active_inside(submodule(network, name), KeyOffer(name, grid, regions)))
        yield
