# SPDX-License-Identifier: MIT
"""Masks: the words of a region are heard only inside the region.

A mask lies *under* the tap: an energy still hears where a word would like to go, while the network lets it go only
where it may. Attention among the picture's own places stays free, so the parts remain one picture. What a mask lets
through is a factor on attention before its softmax: nothing outside the region at weight 1, a half at weight 0.5.
Masks alone lose things; beside energies they keep them in their outlines. *Emphasis* is a factor inside: words that are
heard more in their region from the first step on fill its outline (as in DenseDiffusion, Kim et al. 2023, which
measures the factor by each layer's scores; a constant one was as good here).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sg_core.attention.coverage import on_grid
from sg_core.attention.hooks import active_inside, refuse_compiled, submodule
from sg_core.attention.tape import Grid
from sg_core.errors import AttentionError
from sg_core.schedule import Schedule, times
from sg_core.tokens import Phrase, Words

THRESHOLD = 0.25  # of a region's best cell: what is covered as much belongs to it; 0.1 and 0.5 were as good


@dataclass(frozen=True, eq=False)
class RegionMask:
    """One region. ``coverage`` is (y, x) or (batch, y, x) in 0..1; ``weight`` in 0..1 may change with progress.

    ``softness`` in 0..1 blurs the edge; ``layers`` are the beginnings of the names of those masked, none meaning all.
    Inside, words are heard e^``emphasis`` times as much at the first step, and as ever at the last.
    """

    phrase: Phrase
    coverage: Any
    weight: Schedule
    softness: float = 0.0
    layers: tuple[str, ...] = ()
    emphasis: float = 0.0

    def holds(self, layer: str) -> bool:
        """Whether this layer is one of those masked."""
        return not self.layers or any(layer == name or layer.startswith(f"{name}.") for name in self.layers)


@dataclass(frozen=True)
class Masks:
    """Masks of several regions, the nearest first: where two overlap on a layer's grid, the nearer claims the cell."""

    terms: tuple[RegionMask, ...] = ()

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """Every phrase masked, once."""
        return tuple(dict.fromkeys(term.phrase for term in self.terms))

    def at(self, progress: float) -> "Masks":
        """The masks that weigh anything at this progress."""
        return Masks(tuple(term for term in self.terms if term.weight(progress) > 0.0))

    def unemphasised(self) -> "Masks":
        """The same, with words heard inside no more than they would be."""
        return Masks(tuple(replace(term, emphasis=0.0) for term in self.terms))

    def __add__(self, other: "Masks") -> "Masks":
        return Masks(self.terms + other.terms)

    def __mul__(self, weight: float | Schedule) -> "Masks":
        return Masks(tuple(replace(term, weight=times(term.weight, weight)) for term in self.terms))

    __rmul__ = __mul__


def openness(terms: Sequence[RegionMask], grid: tuple[int, int], batch: int, like: Tensor) -> list[Tensor]:
    """How open each cell is to each region's words, 0 to 1, (1 or batch, y, x) a region.

    A cell belongs to the nearest region that covers it; yet every region keeps its best cell, lest it be lost. What is
    smaller than a cell has no cell to itself, so coverage counts in proportion to the best cell's.
    """
    free, opened = like.new_ones(1, *grid), []
    for term in terms:
        coverage = on_grid(term.coverage, grid, batch, term.phrase, like)
        best = coverage.amax((1, 2), keepdim=True)
        low, high = THRESHOLD * (1 - term.softness), THRESHOLD + term.softness * (1 - THRESHOLD)
        share = coverage / best.clamp_min(1e-6)
        ramp = ((share - low) / (high - low)).clamp(0, 1) if term.softness else (share >= THRESHOLD).to(like.dtype)
        claimed = torch.where((coverage == best) & (best > 0), 1.0, torch.minimum(ramp, free))
        opened.append(claimed)
        free = torch.minimum(free, 1 - claimed)
    return opened


def bias(
    terms: Sequence[RegionMask],
    grid: Grid,
    words: Words,
    progress: float,
    query: Tensor,
    key: Tensor,
    cells: Sequence[Tensor] | None = None,
) -> Tensor:
    """What the masks add to the scores of one layer: (batch, 1, query, key), 0 where a word may be heard, and may look.

    A word that several regions share is heard wherever any of them lets it. Query and key as
    ``F.scaled_dot_product_attention`` takes them; ``cells`` are what ``openness`` gives, where that is known.
    """
    batch, queries, keys = query.shape[0], query.shape[2], key.shape[2]
    scores = query.new_full((batch, grid.rows * grid.columns, keys), -math.inf, dtype=torch.float32)
    masked = torch.zeros(batch, keys, dtype=torch.bool, device=query.device)
    first = range(keys)[grid.text].start
    cells = openness(terms, (grid.rows, grid.columns), batch, scores) if cells is None else cells
    for term, opened in zip(terms, cells, strict=True):
        weight = min(1.0, term.weight(progress))
        own = (1 - weight * (1 - opened)).log() + weight * opened * term.emphasis * (1 - progress)
        for row, columns in enumerate(words.phrases[term.phrase]):
            word_keys = [first + column for column in columns]
            masked[row, word_keys] = True
            heard = own.flatten(1).expand(batch, -1)[row][:, None]
            scores[row][:, word_keys] = torch.maximum(scores[row][:, word_keys], heard)
    scores = torch.where(masked[:, None], scores, 0.0)
    full = scores.new_zeros(batch, 1, queries, keys)
    full[:, 0, grid.image] = scores
    if grid.both:
        full[:, 0, grid.text, grid.image] = scores[..., grid.text].mT.clamp(max=0)
    return full.to(query.dtype)


class AttentionMask(TorchFunctionMode):
    """Adds a bias to the scores of one layer's attention. ``make`` gives it, from query and key."""

    def __init__(self, make: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.make = make

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is F.scaled_dot_product_attention:
            return self._masked(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _masked(
        self, query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, *rest: Any, **options: Any
    ) -> Tensor:
        added = self.make(query, key)
        if attn_mask is not None:
            own = attn_mask.dtype == torch.bool
            added = added.masked_fill(~attn_mask, float("-inf")) if own else added + attn_mask
        return F.scaled_dot_product_attention(query, key, value, added, *rest, **options)


@contextmanager
def masking(
    network: nn.Module,
    layers: Mapping[str, Grid],
    words: Words,
    masks: Masks,
    progress: float,
    cached: dict[Any, list[Tensor]] | None = None,
) -> Iterator[None]:
    """Until the block ends, the masks that weigh anything at this progress hold in these layers.

    Enter it before ``listening``, so that what is heard is not masked; and leave it after the gradient was taken, for a
    network that recomputes its activations must recompute them under the same masks. Without such masks it does
    nothing at all. ``cached`` remembers for the next step how open the cells of each grid are.

    Raises AttentionError when the network is compiled, a layer does not exist, or a mask holds in none of them.
    """
    terms = masks.at(progress).terms
    chosen = {name: own for name in layers if (own := tuple(term for term in terms if term.holds(name)))}
    if idle := [str(term.phrase) for term in terms if not any(term in own for own in chosen.values())]:
        raise AttentionError(f"no layer of this network is masked for {', '.join(idle)}: name other layers")
    biases: dict[Any, Tensor] = {}  # layers of one grid share their bias
    with ExitStack() as hooks:
        if chosen:
            refuse_compiled(network)
        for name, own in chosen.items():
            make = partial(_remembered, biases, {} if cached is None else cached, own, layers[name], words, progress)
            hooks.enter_context(active_inside(submodule(network, name), AttentionMask(make)))
        yield


def _remembered(
    biases: dict[Any, Tensor],
    cached: dict[Any, list[Tensor]],
    terms: tuple[RegionMask, ...],
    grid: Grid,
    words: Words,
    progress: float,
    query: Tensor,
    key: Tensor,
) -> Tensor:
    form = (terms, grid.rows, grid.columns, str(grid.image), str(grid.text), grid.both, query.shape[2], key.shape[2])
    if form not in biases:
        size, batch = (grid.rows, grid.columns), len(query)
        with torch.no_grad():
            if (terms, size) not in cached:
                cached[terms, size] = openness(terms, size, batch, query.new_zeros((), dtype=torch.float32))
            biases[form] = bias(terms, grid, words, progress, query, key, cached[terms, size])
    return biases[form]
