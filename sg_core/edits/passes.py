# SPDX-License-Identifier: MIT
"""The references that are looked at while a picture is painted: one more pass a step for each, and what comes of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sg_core.attention.tape import Grid, Tape, listening
from sg_core.conditioning import Conditioning
from sg_core.edits.keeping import Keeping, Replace, Share, check_size
from sg_core.edits.prompt_to_prompt import ReplacedMaps, recorded_maps, replacing, small_layers, word_layers
from sg_core.edits.reference import Reference
from sg_core.edits.sharing import SharedRegion, recorded, self_attention, sharing
from sg_core.energy import Energy
from sg_core.models.model import Model, Step
from sg_core.tokens import Words


@dataclass(frozen=True)
class Sources:
    """The references that are looked at, each with what it is told; and the layers that look at the picture itself, at
    words, and, small ones, at the picture itself, as far as any term speaks of them."""

    model: Model
    texts: tuple[tuple[Reference, Conditioning], ...] = ()
    alike: Mapping[str, Grid] = field(default_factory=dict)
    words: Mapping[str, Grid] = field(default_factory=dict)
    itself: Mapping[str, Grid] = field(default_factory=dict)


def sources(model: Model, keeping: Keeping, latent: Tensor, scale: float) -> Sources:
    """What a run needs for ``shared``: nothing where nothing is shared.

    Raises RequestError when the model's attention cannot be shared, or the reference is of another size.
    """
    terms = [term for term in keeping.terms if isinstance(term, Share | Replace)]
    shares = any(isinstance(term, Share) for term in terms)
    replaces = any(isinstance(term, Replace) for term in terms)
    alike = self_attention(model, latent) if shares else {}
    words, itself = (word_layers(model, latent), small_layers(model, latent)) if replaces else ({}, {})
    texts = []
    for reference in {id(term.reference): term.reference for term in terms}.values():
        check_size(reference.latent, latent)
        texts.append((reference, _told(model, reference, scale)))
    return Sources(model, tuple(texts), alike, words, itself)


@dataclass(frozen=True)
class HeardReferences:
    """The references that terms of an energy read, each with what it is told and where it says their phrases."""

    model: Model
    texts: tuple[tuple[Reference, Conditioning, Words], ...] = ()

    def tapes(self, energy: Energy, step: Step) -> dict[int, Tape]:
        """What a pass leaves of each reference that this energy reads, by the reference's id."""
        return {
            id(one): self._tape(one, text, words, step) for one, text, words in self.texts if one in energy.references
        }

    def _tape(self, reference: Reference, text: Conditioning, words: Words, step: Step) -> Tape:
        latent = reference.at(step).to(text.device)
        layers = self.model.layers(latent)
        with torch.no_grad(), listening(self.model.network, layers, words, featured=True) as tape:
            self.model.predict(latent, step, text)
        return tape


def heard_references(model: Model, energy: Energy, latent: Tensor, scale: float) -> HeardReferences:
    """What a run needs to read references beside its own picture: nothing where no term does.

    Raises RequestError when a reference is of another size, TokenError when its caption does not say a phrase.
    """
    texts = []
    for reference, phrases in energy.references.items():
        check_size(reference.latent, latent)
        words = model.words([reference.caption], phrases)
        texts.append((reference, _told(model, reference, scale), words))
    return HeardReferences(model, tuple(texts))


def _told(model: Model, reference: Reference, scale: float) -> Conditioning:
    text = model.encode([reference.caption])
    return text.guided(scale) if model.card.guided_by == "input" else text


@contextmanager
def shared(known: Sources, keeping: Keeping, step: Step) -> Iterator[None]:
    """Until the block ends, what the terms share of their references is looked at too, and their maps replace others:
    one more pass a reference."""
    shares, replacements = keeping.of(Share, step.progress), keeping.of(Replace, step.progress)
    regions: list[SharedRegion] = []
    replaced: list[ReplacedMaps] = []
    for reference, text in known.texts:
        own = [term for term in shares if term.reference is reference]
        swapped = [term for term in replacements if term.reference is reference]
        if own or swapped:
            passed = _passed(known, (reference, text), step, own, swapped)
            regions += passed[0]
            replaced += passed[1]
    network = known.model.network
    with ExitStack() as hooks:
        if regions:
            hooks.enter_context(sharing(known.alike, network, regions))
        if replaced:
            hooks.enter_context(replacing(network, replaced))
        yield


def _passed(
    known: Sources,
    source: tuple[Reference, Conditioning],
    step: Step,
    shares: Sequence[Share],
    replacements: Sequence[Replace],
) -> tuple[list[SharedRegion], list[ReplacedMaps]]:
    """What one pass of a reference leaves: its keys and values, and its maps, of the layers that somebody wants."""
    (reference, text), model, network = source, known.model, known.model.network
    empty: Mapping[str, Grid] = {}
    alike = known.alike if shares else empty
    words = known.words if any(term.alignment is not None for term in replacements) else empty
    itself = known.itself if any(term.alignment is None for term in replacements) else empty
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
