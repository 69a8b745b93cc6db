# SPDX-License-Identifier: MIT
"""What every layer of a model looks at while it paints, phrase by phrase, and where an independent judge sees each.

Pictures are painted without guidance: where objects come to stand is then the network's own doing, and a layer that
knows early where that will be is one to guide by.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor

from sg_core import Moment, Phrase, Tape, generate, listening
from sg_core.grounding import judged
from sg_core.judge import Judge
from sg_core.models.model import Model

NOUNS = ("cat", "dog", "car", "bicycle", "apple", "cup", "horse", "boat")  # that detectors and painters both know
MOMENTS = (0.1, 0.3, 0.5)  # progress at which layers are heard: the layout is decided in this time


class ObjectFinder(Protocol):
    """Who says where things are in a picture, and has never seen the attention."""

    @property
    def name(self) -> str:
        """For people, and for the Card."""

    def areas(self, picture: Tensor, phrases: Sequence[str]) -> Mapping[str, Tensor]:
        """Where each phrase is in a picture (3, height, width) in 0..1: coverage (height, width); the absent are left
        out."""


@dataclass(frozen=True)
class SegmentingFinder:
    """The Judge that a model carries, as Toybox does."""

    judge: Judge
    name: str = "its own Judge"

    def areas(self, picture: Tensor, phrases: Sequence[str]) -> Mapping[str, Tensor]:
        """The masks of the nouns that it knows."""
        groundings = judged(self.judge, phrases, picture[None])
        return {words: item.mask for words, item in groundings.items() if item.mask is not None}


@dataclass(frozen=True)
class ProbePicture:
    """A picture of two nouns, (3, height, width) in 0..1, and what was heard of every layer on its way there.

    ``tapes`` are of MOMENTS in their order; ``areas`` is what the judge sees, by phrase.
    """

    phrases: tuple[str, ...]
    picture: Tensor
    tapes: tuple[Tape, ...]
    areas: Mapping[str, Tensor]


def probe_pictures(
    model: Model, finder: ObjectFinder | None, count: int, nouns: Sequence[str], options: Mapping[str, Any]
) -> Iterator[ProbePicture]:
    """So many pictures, one after another, of pairs of nouns in turn; ``options`` are for ``generate``."""
    pairs = list(pairwise(nouns or NOUNS))[::2]
    for index in range(count):
        phrases = pairs[index % len(pairs)]
        picture, tapes = painted_with_tapes(model, f"a {phrases[0]} and a {phrases[1]}", phrases, index, options)
        areas = {} if finder is None else finder.areas(picture, phrases)
        yield ProbePicture(phrases, picture, tapes, areas)


def painted_with_tapes(
    model: Model, prompt: str, phrases: Sequence[str], seed: int, options: Mapping[str, Any]
) -> tuple[Tensor, tuple[Tape, ...]]:
    """An unguided picture (3, height, width), and a tape of all layers for each of MOMENTS: exactly what a guided run
    would hear in that step, were its push nothing."""
    latents: list[Tensor] = []

    def watch(moment: Moment) -> None:
        latents.append(moment.latent)

    picture = generate(model, prompt, **(dict(options) | {"seeds": (seed,)}), watch=watch)[0]
    text = model.encode([prompt])
    text = text.guided(options["scale"]) if model.card.guided_by == "input" else text
    words = model.words([prompt], [Phrase(phrase) for phrase in phrases])
    steps = model.steps(options["steps"], options["scheduler"], (latents[0].shape[2], latents[0].shape[3])).steps
    tapes = []
    for progress in MOMENTS:
        index = min(max(1, round(progress * len(steps))), len(steps) - 1)
        latent = latents[index - 1] * steps[index].shrink
        with torch.no_grad(), listening(model.network, model.attention(latent), words) as tape:
            model.predict(latent, steps[index], text)
        tapes.append(replace(tape, attention={name: mass.cpu() for name, mass in tape.attention.items()}))
    return picture, tuple(tapes)
