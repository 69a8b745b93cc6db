# SPDX-License-Identifier: MIT
"""Prompt-to-Prompt (Hertz et al. 2022): other words look where the reference's words looked.

The reference's attention is computed in a pass of its own at each step. In the layers that look at words, each word of
the new prompt has the map of the word that stood in its place; a word that is new has its own. In early steps, small
layers where the picture looks at itself have the reference's maps too.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any
from unicodedata import category

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sg_core.attention.hooks import active_inside, refuse_compiled, submodule
from sg_core.attention.tape import Grid, refuse_unfaithful
from sg_core.errors import RequestError
from sg_core.models.model import Model
from sg_core.tokens import Phrase, occurrences, words_of

LARGEST = 1024  # cells of a layer that looks at itself: of larger ones the matrix would be gigabytes

AttentionMaps = dict[str, Tensor]
"""By layer, (batch, head, query, key)."""


@dataclass(frozen=True)
class Alignment:
    """Which token of the reference's caption stands where a token of the prompt stands: (prompt's, caption's) pairs.

    Beyond ``own_end`` of the prompt and ``their_end`` of the caption nothing is said, and tokens go in step.
    """

    pairs: tuple[tuple[int, int], ...]
    own_end: int
    their_end: int

    def columns(self, keys: int) -> tuple[list[int], list[int]]:
        """The prompt's tokens that have a map of the reference's, of so many, and whose it is."""
        rest = range(min(keys - self.own_end, keys - self.their_end))
        behind = [(self.own_end + number, self.their_end + number) for number in rest]
        own, theirs = zip(*self.pairs, *behind, strict=True) if self.pairs or behind else ((), ())
        return list(own), list(theirs)


@dataclass(frozen=True, eq=False)
class ReplacedMaps:
    """A reference's maps in some layers, and how far they count; without an ``alignment`` the layers look at
    themselves."""

    maps: AttentionMaps
    alignment: Alignment | None
    weight: float


def aligned(model: Model, prompt: str, caption: str) -> Alignment:
    """Words that are the same, or stand in each other's place. Raises TokenError for a text that is too long."""
    own, theirs = word_spans(prompt), word_spans(caption)
    now, before = ([text[a:b].lower() for a, b in spans] for text, spans in ((prompt, own), (caption, theirs)))
    pairs = [(0, 0)]
    for kind, a, b, c, d in SequenceMatcher(None, now, before, autojunk=False).get_opcodes():
        if kind in ("equal", "replace"):
            for one, other in zip(own[a:b], theirs[c:d], strict=False):
                pairs += _tokens(_columns(model, prompt, one), _columns(model, caption, other))
    ends = [max(model.words([text], []).content[0], default=0) + 1 for text in (prompt, caption)]
    return Alignment(tuple(dict.fromkeys(pairs)), *ends)


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of a text are: letters and digits with their marks, which Python's own words are cut at."""
    plain = "".join(sign if sign.isalnum() or category(sign).startswith("M") else " " for sign in text)
    return [word.span() for word in re.finditer(r"\S+", plain) if words_of(word[0])]


def _columns(model: Model, text: str, span: tuple[int, int]) -> Sequence[int]:
    """The tokens of one of a text's words; none where nothing of a prompt is found by it."""
    words = text[slice(*span)]
    for nth, (start, end) in enumerate(occurrences(text, Phrase(words)), 1):
        if start <= span[0] < end:
            word = Phrase(words, nth)
            return model.words([text], [word]).phrases[word][0]
    return ()


def _tokens(own: Sequence[int], theirs: Sequence[int]) -> list[tuple[int, int]]:
    """Tokens of two words in step; where there are not as many, some more than once."""
    return [(token, theirs[number * len(theirs) // len(own)]) for number, token in enumerate(own)] if theirs else []


def word_layers(model: Model, latent: Tensor) -> Mapping[str, Grid]:
    """The layers where the picture looks at words and nothing else. Raises RequestError for a family without."""
    layers = {
        name: grid
        for name, grid in model.attention(latent).items()
        if not grid.both and grid.text == slice(None) and grid.image == slice(None)
    }
    if not layers or not model.self_attention(latent):
        raise RequestError(
            f"{model.card.name} looks at picture and words in the same layers, so that their maps cannot be replaced: "
            "choose a model of the Stable Diffusion 1 or XL families"
        )
    return layers


def small_layers(model: Model, latent: Tensor) -> Mapping[str, Grid]:
    """The layers where the picture looks at itself in at most LARGEST cells."""
    layers = model.self_attention(latent)
    return {name: grid for name, grid in layers.items() if grid.rows * grid.columns <= LARGEST}


def weights(query: Tensor, key: Tensor, mask: Tensor | None, scale: float | None) -> Tensor:
    """The softmax of one layer's attention, (batch, head, query, key) in float32; arguments as SDPA has them."""
    scores = query.float() @ key.float().mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(-1)


class MapRecorder(TorchFunctionMode):
    """Notes one layer's attention in a table."""

    def __init__(self, layer: str, maps: AttentionMaps) -> None:
        super().__init__()
        self.layer, self.maps = layer, maps

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        if func is F.scaled_dot_product_attention:
            self._record(*args, **options)
        return func(*args, **options)

    def _record(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        **rest: Any,
    ) -> None:
        refuse_unfaithful(self.layer, dropout_p, is_causal)
        self.maps[self.layer] = weights(query, key, attn_mask, scale).detach()


class MapReplacement(TorchFunctionMode):
    """Has one layer look where references looked."""

    def __init__(self, layer: str, replaced: Sequence[ReplacedMaps]) -> None:
        super().__init__()
        self.layer, self.replaced = layer, replaced

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if func is F.scaled_dot_product_attention:
            return self._replaced(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _replaced(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        **rest: Any,
    ) -> Tensor:
        refuse_unfaithful(self.layer, dropout_p, is_causal)
        own = weights(query, key, attn_mask, scale)
        for each in self.replaced:
            theirs = each.maps[self.layer].to(own)
            if each.alignment is not None:
                columns, sources = each.alignment.columns(own.shape[-1])
                maps = theirs.expand(len(own), -1, -1, -1)[..., sources]
                theirs = own.index_copy(3, torch.tensor(columns, device=own.device), maps)
            own = own + each.weight * (theirs - own)
        return (own @ value.float()).to(value.dtype)


@contextmanager
def recorded_maps(layers: Mapping[str, Grid], network: nn.Module) -> Iterator[AttentionMaps]:
    """The attention of one pass by layer: the table fills while it runs."""
    maps: AttentionMaps = {}
    if layers:
        refuse_compiled(network)
    with ExitStack() as hooks:
        for name in layers:
            hooks.enter_context(active_inside(submodule(network, name), MapRecorder(name, maps)))
        yield maps


@contextmanager
def replacing(network: nn.Module, replaced: Sequence[ReplacedMaps]) -> Iterator[None]:
    """Until the block ends, the layers that these have maps of look as they did."""
    refuse_compiled(network)
    with ExitStack() as hooks:
        for name in dict.fromkeys(name for each in replaced for name in each.maps):
            chosen = [each for each in replaced if name in each.maps]
            hooks.enter_context(active_inside(submodule(network, name), MapReplacement(name, chosen)))
        yield
