# SPDX-License-Identifier: MIT
"""The references that are looked at while a picture is painted: one more pass a step for each, and what comes of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from sg_core.attention.tape import Grid
from sg_core.conditioning import Conditioning
from sg_core.edits.keeping import Keeping, Replace, Share, check_size
from sg_core.edits.prompt_to_prompt import ReplacedMaps, recorded_maps, replacing, small_layers, word_layers
from sg_core.edits.reference import Reference
from sg_core.edits.sharing import SharedRegion, recorded, self_attention, sharing
from sg_core.models.model import Model, Step


@dataclass(frozen=True)
class Sources:
    """The references that are looked at, each with what it is told."""

    model: Model
    texts: tuple[tuple[Reference, Conditioning], ...] = ()


def sources(model: Model, keeping: Keeping, latent: Tensor, scale: float) -> Sources:
    """What a run needs for ``shared``: nothing where nothing is shared.

    Raises RequestError when the model's attention cannot be shared, or the reference is of another size.
    """
    terms = [term for term in keeping.terms if isinstance(term, Share | Replace)]
    for term in terms:
        (self_attention if isinstance(term, Share) else word_layers)(model, latent)
    texts = []
    for reference in {id(term.reference): term.reference for term in terms}.values():
        check_size(reference, latent)
        text = model.encode([reference.caption])
        texts.append((reference, text.guided(scale) if model.card.guided_by == "input" else text))
    return Sources(model, tuple(texts))


@contextmanager
def shared(known: Sources, keeping: Keeping, latent: Tensor, step: Step) -> Iterator[None]:
    """Until the block ends, what the terms share of their references is looked at too, and their maps replace others:
    one more pass a reference."""
    shares, replacements = keeping.of(Share, step.progress), keeping.of(Replace, step.progress)
    regions: list[SharedRegion] = []
    replaced: list[ReplacedMaps] = []
    for reference, text in known.texts:
        own = [term for term in shares if term.reference is reference]
        swapped = [term for term in replacements if term.reference is reference]
        if own or swapped:
            passed = _passed(known.model, (reference, text), step, own, swapped)
            regions += passed[0]
            replaced += passed[1]
    network = known.model.network
    with ExitStack() as hooks:
        if regions:
            hooks.enter_context(sharing(self_attention(known.model, latent), network, regions))
        if replaced:
            hooks.enter_context(replacing(network, replaced))
        yield


def _passed(
    model: Model,
    source: tuple[Reference, Conditioning],
    step: Step,
    shares: Sequence[Share],
    replacements: Sequence[Replace],
) -> tuple[list[SharedRegion], list[ReplacedMaps]]:
    """What one pass of a reference leaves: its keys and values, and its maps, of the layers that somebody wants."""
    reference, text = source
    latent, network = reference.latent, model.network
    empty: Mapping[str, Grid] = {}
    alike = self_attention(model, latent) if shares else empty
    words = word_layers(model, latent) if any(term.alignment is not None for term in replacements) else empty
    itself = small_layers(model, latent) if any(term.alignment is None for term in replacements) else empty
    with torch.no_grad(), recorded(alike, network) as spoken, recorded_maps({**words, **itself}, network) as maps:
        model.predict(reference.at(step).to(text.device), step, text)
    regions = [SharedRegion(spoken, tuple((t.old, t.new, t.weight(step.progress)) for t in shares))] if shares else []
    replaced = [
        ReplacedMaps(
            {name: maps[name] for name in (words if term.alignment is not None else itself)},
            term.alignment,
            min(1.0, term.weight(step.progress)),
        )
        for term in replacements
    ]
    return regions, replaced
