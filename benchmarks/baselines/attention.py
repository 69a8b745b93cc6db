# SPDX-License-Identifier: MIT
"""Attention for the baselines: read it whole, or add to its scores. It stands alone, apart from the method's own."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Bias = Callable[["Scores"], Tensor | None]
"""What is added to a layer's scores, broadcast to (batch, head, query, key); None adds nothing."""


@dataclass(frozen=True)
class Scores:
    """One layer's scores (batch, head, query, key); ``words``: the keys are the prompt's, not the picture's."""

    layer: str
    words: bool
    values: Tensor


@dataclass
class Listener(TorchFunctionMode):
    """Reads and changes attention while it is entered. ``heard`` maps a layer to its softmax, (head, query, key).

    Attributes:
        hear: blocks whose cross-attention is read; none reads nothing.
        bias: what is added to scores, in every layer.
    """

    hear: Sequence[str] = ()
    bias: Bias | None = None
    layer: str = ""
    overheard: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is not F.scaled_dot_product_attention or not self.layer:
            return func(*args, **kwargs)
        query, key = args[:2]
        words = self.layer.endswith("attn2")
        hearing = words and self.layer.startswith(tuple(self.hear))
        if not hearing and self.bias is None:
            return func(*args, **kwargs)
        scores = query @ key.mT * query.shape[-1] ** -0.5
        added = self.bias(Scores(self.layer, words, scores)) if self.bias else None
        if hearing:
            self.overheard[self.layer] = (scores if added is None else scores + added).softmax(-1)[0]
        return func(*args, **kwargs) if added is None else func(*args, **kwargs | {"attn_mask": added.to(query)})


@contextmanager
def listening(network: nn.Module, hear: Sequence[str] = (), bias: Bias | None = None) -> Iterator[Listener]:
    """Inside, one pass of the network for one picture is heard, and changed."""
    listener = Listener(hear=hear, bias=bias)

    def enter(name: str) -> Callable[..., None]:
        return lambda *_: setattr(listener, "layer", name)

    with ExitStack() as stack:
        for name, module in network.named_modules():
            if name.endswith((".attn1", ".attn2")):
                stack.enter_context(module.register_forward_pre_hook(enter(name)))
                stack.enter_context(module.register_forward_hook(enter("")))
        stack.enter_context(listener)
        yield listener


def grid(places: int, latent: Tensor) -> tuple[int, int]:
    """Rows and columns of a layer with so many places, for a latent (batch, channel, y, x): halved until they fit."""
    rows, columns = latent.shape[-2:]
    while rows * columns > places:
        rows, columns = (rows + 1) // 2, (columns + 1) // 2
    return rows, columns


def on_grid(mask: Tensor, rows: int, columns: int) -> Tensor:
    """A mask (y, x) by area on a layer's grid, (rows, columns)."""
    return F.interpolate(mask[None, None], (rows, columns), mode="area")[0, 0]


def word_maps(listener: Listener, latent: Tensor, side: tuple[int, int] | None = None) -> Tensor:
    """All heard layers' maps, mean over heads and layers: (key, y, x) on the finest of their grids or on ``side``."""
    planes = []
    for attention in listener.overheard.values():
        rows, columns = grid(attention.shape[1], latent)
        planes.append(attention.mean(0).T.reshape(1, -1, rows, columns))
    finest = side or max((tuple(plane.shape[-2:]) for plane in planes), key=lambda size: size[0] * size[1])
    same = [F.interpolate(plane, finest, mode="bilinear", align_corners=False) for plane in planes]
    return torch.cat(same).mean(0)
