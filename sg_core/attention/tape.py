# SPDX-License-Identifier: MIT
"""Listening to attention without touching it.

A ``TorchFunctionMode`` reads the arguments of ``F.scaled_dot_product_attention`` while hooks say which layer runs. The
model computes what it always computes, bit for bit; only the attention of the layers listened to is computed a second
time, for the words alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sg_core.attention.hooks import active_inside, recomputing, refuse_compiled, submodule
from sg_core.attention.mass import attention_mass, condensed, key_values
from sg_core.errors import AttentionError
from sg_core.terms import properties
from sg_core.tokens import Columns, Phrase, Words

NO_WORDS = Words(phrases={}, content=())


@dataclass(frozen=True)
class Grid:
    """Where picture and words sit in one layer's attention matrix: the only fact that depends on an architecture.

    ``image`` selects the queries that are the picture's (rows * columns of them, row by row from the top), ``text``
    the keys that are the words'. Where words look back at the picture, as in joint attention, ``both`` has masks hold
    that way too.
    """

    rows: int
    columns: int
    image: slice = field(default_factory=lambda: slice(None))
    text: slice = field(default_factory=lambda: slice(None))
    both: bool = False


@dataclass(frozen=True)
class Tape:
    """What one forward pass left behind. ``attention[layer]`` is (batch, y, x, column), mean over heads, of a softmax
    over all keys; ``words`` says what the columns are. ``picture`` is the clean one that the network's output predicts,
    (batch, 3, y, x) in 0..1, where a term asks for it. ``features[layer]`` are its queries, (batch, channel, y, x),
    where they are kept; ``references`` the tapes of other pictures at the same step, by the id of their Reference.
    """

    attention: dict[str, Tensor]
    words: Words = NO_WORDS
    picture: Tensor | None = None
    features: dict[str, Tensor] = field(default_factory=dict)
    references: Mapping[int, "Tape"] = field(default_factory=dict)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the finest layer: all maps are given on it."""
        return max(((a.shape[1], a.shape[2]) for a in self.attention.values()), key=lambda size: size[0] * size[1])

    @property
    def batch(self) -> int:
        """Pictures in the pass."""
        return next(iter(self.attention.values())).shape[0]

    def map(self, phrase: Phrase) -> Tensor:
        """How much each cell looks at a phrase, mean over heads and layers: (batch, y, x).

        Raises KeyError for a phrase that ``words`` does not hold.
        """
        return self._maps[phrase]

    def silhouette(self, phrase: Phrase) -> Tensor:
        """The soft outline of a phrase, ``properties.shape`` of its map: (batch, y, x)."""
        return self._silhouettes[phrase]

    def content(self) -> Tensor:
        """How much each cell looks at any word of the prompt (start, end and padding left out): (batch, y, x)."""
        return self._content

    def columns(self) -> Tensor:
        """How much each cell looks at each column, mean over layers: (batch, y, x, column)."""
        layers = [F.interpolate(a.permute(0, 3, 1, 2), self.grid, mode="area") for a in self.attention.values()]
        return torch.stack(layers).mean(0).permute(0, 2, 3, 1)

    def selection(self, columns: Columns) -> Tensor:
        """Some columns of each row as (batch, column) of 0 and 1."""
        return self._selections([columns])[:, 0]

    # Of all phrases at once, when the first is asked for: sixteen regions cost hardly more than one.

    @cached_property
    def _maps(self) -> dict[Phrase, Tensor]:
        phrases = self.words.phrases
        return dict(zip(phrases, self._masses(list(phrases.values())).unbind(1), strict=True)) if phrases else {}

    @cached_property
    def _silhouettes(self) -> dict[Phrase, Tensor]:
        maps = torch.stack(list(self._maps.values()), 1)
        outlines = properties.shape(maps.flatten(0, 1)).reshape(maps.shape)
        return dict(zip(self._maps, outlines.unbind(1), strict=True))

    @cached_property
    def _content(self) -> Tensor:
        return self._masses([self.words.content])[:, 0]

    def _masses(self, columns: Sequence[Columns]) -> Tensor:
        """How much each cell looks at each set of columns, mean over layers: (batch, set, y, x)."""
        selections, grid = self._selections(columns), self.grid
        masses = [torch.einsum("byxt,bpt->bpyx", attention, selections) for attention in self.attention.values()]
        same = [mass if mass.shape[2:] == grid else F.interpolate(mass, grid, mode="area") for mass in masses]
        return torch.stack(same).mean(0)

    def _selections(self, columns: Sequence[Columns]) -> Tensor:
        """Several sets of columns as (batch, set, column) of 0 and 1, brought to the device at once."""
        like = next(iter(self.attention.values()))
        chosen = [[[0.0] * like.shape[-1] for _ in columns] for _ in range(like.shape[0])]
        for number, rows in enumerate(columns):
            for row, indices in enumerate(rows):
                for index in indices:
                    chosen[row][number][index] = 1.0
        return torch.tensor(chosen, dtype=like.dtype, device=like.device)


def refuse_unfaithful(layer: str, dropout_p: float, is_causal: bool) -> None:
    """Raise AttentionError for a layer whose maps do not follow from its queries, keys and mask alone."""
    refused = {"dropout_p": dropout_p > 0, "is_causal": is_causal}
    if wrong := [name for name, used in refused.items() if used]:
        raise AttentionError(f"layer {layer} uses {', '.join(wrong)}: that cannot be overheard faithfully")


class AttentionRecorder(TorchFunctionMode):
    """Records one layer's attention on a tape. It is active inside that layer only, so the rest runs at full speed.

    ``columns`` are the tokens to record, None for all of them; queries are kept where they are ``featured``.
    """

    def __init__(self, layer: str, grid: Grid, tape: Tape, columns: Columns | None, featured: bool = False) -> None:
        super().__init__()
        self.layer = layer
        self.grid = grid
        self.tape = tape
        self.columns = columns
        self.featured = featured

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention and not recomputing():
            self._record(*args, **kwargs)
        return func(*args, **kwargs)

    def _record(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> None:
        refuse_unfaithful(self.layer, dropout_p, is_causal)
        if self.layer in self.tape.attention:
            raise AttentionError(f"layer {self.layer} spoke twice: a tape holds one pass, so listen to one at a time")
        with torch.autograd.graph.saved_tensors_hooks(_itself, _itself):
            self.tape.attention[self.layer] = self._attention(query, key, attn_mask, scale)

    def _attention(self, query: Tensor, key: Tensor, mask: Tensor | None, scale: float | None) -> Tensor:
        grid, queries = self.grid, query[:, :, self.grid.image]
        if queries.shape[2] != grid.rows * grid.columns:
            raise AttentionError(
                f"layer {self.layer} has {queries.shape[2]} places, not {grid.rows} x {grid.columns}: wrong grid"
            )
        if self.featured:
            self.tape.features[self.layer] = queries.mT.reshape(len(query), -1, grid.rows, grid.columns)
        tokens = range(key.shape[2])[grid.text]
        columns = self.columns or (tuple(range(len(tokens))),) * len(query)
        values = key_values(columns, tokens.start, key.shape[2], query)
        rows = mask if mask is None or mask.shape[-2] == 1 else mask[..., grid.image, :]
        mass = attention_mass(queries, key, values, rows, scale)
        return mass.reshape(len(mass), grid.rows, grid.columns, mass.shape[-1])


@contextmanager
def listening(
    network: nn.Module, layers: Mapping[str, Grid], words: Words = NO_WORDS, *, featured: bool = False
) -> Iterator[Tape]:
    """Overhear one forward pass of a network: the tape fills while it runs.

    Args:
        layers: module name, such as ``mid_block.attentions.0.transformer_blocks.0.attn2``, to its grid.
        words: what to listen for; without any, every key of the text has a column of its own.
        featured: keep the layers' queries too, as ``features``.

    Raises AttentionError when the network is compiled, a layer does not exist, or one was not heard.
    """
    refuse_compiled(network)
    columns, (content, *columns_of_phrases) = condensed([words.content, *words.phrases.values()])
    tape = Tape({}, Words(dict(zip(words.phrases, columns_of_phrases, strict=True)), content))
    with ExitStack() as hooks:
        for name, grid in layers.items():
            recorder = AttentionRecorder(name, grid, tape, columns or None, featured)
            hooks.enter_context(active_inside(submodule(network, name), recorder))
        yield tape
    if missing := [name for name in layers if name not in tape.attention]:
        raise AttentionError(
            f"not heard: {', '.join(missing)}. Each layer must run once, through F.scaled_dot_product_attention "
            "(diffusers' default attention processor)"
        )


@contextmanager
def forgetting_after(network: nn.Module, layers: Iterable[str]) -> Iterator[None]:
    """Stop recording gradients once all these layers have run, until the block ends.

    An energy reads nothing of what comes later, so those activations would be kept for nothing.

    Raises AttentionError when a layer does not exist.
    """
    waiting = set(layers)

    def forget(name: str, *_: object) -> None:
        waiting.discard(name)
        if not waiting and not recomputing():
            torch.set_grad_enabled(False)

    with ExitStack() as hooks:
        for name in tuple(waiting):
            hooks.enter_context(submodule(network, name).register_forward_hook(partial(forget, name)))
        hooks.callback(torch.set_grad_enabled, torch.is_grad_enabled())
        yield


def _itself(tensor: Tensor) -> Tensor:
    """Keeps what the tape saves out of gradient checkpointing, which would count it and miss it when recomputing."""
    return tensor
