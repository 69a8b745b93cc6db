# SPDX-License-Identifier: MIT
"""Energies measured against a reference: a phrase's shape, middle, size and appearance as they are in another picture.

    layout = 0.5 * appearance("castle", before) + shift("castle", before, 0.3, 0.0)

The edits of Epstein et al. 2023, section 3.3: at each step the reference, as noisy as the picture, is passed through
the network once more, without gradient, and both passes are read alike. Nothing of it is drawn into the picture, so
that these terms hold a layout or a look more loosely than those in ``keeping``. They add and scale as all energies do.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.attention.tape import Tape
from sg_core.edits.reference import Reference
from sg_core.energy import Energy, Measure, Term
from sg_core.terms import properties
from sg_core.tokens import Phrase, phrase

HUBER = 0.1  # as of ``energy.centroid``


@dataclass(frozen=True)
class Sides:
    """A phrase in the picture that is painted and in the reference: of each a tape, and its map (batch, y, x)."""

    own: Tape
    map: Tensor
    other: Tape
    other_map: Tensor


def same_shape(
    words: str | Phrase, reference: Reference, source: str | Phrase | None = None, tolerance: float = 0.35
) -> Energy:
    """The silhouette is the reference's: mean |S - S'|. The error is 1 - sum min(S, S') / sum max(S, S').

    Args:
        source: what the reference's caption calls it; the same by default. So for the other terms here.
    """

    def measure(sides: Sides) -> Measure:
        outline, goal = properties.shape(sides.map), properties.shape(sides.other_map)
        common, union = (f(outline.detach(), goal).sum((1, 2)) for f in (torch.minimum, torch.maximum))
        return Measure((outline - goal).abs().mean((1, 2)), 1.0 - common / union.clamp_min(1e-6))

    return _term("shape", words, reference, source, tolerance, measure)


def shift(
    words: str | Phrase,
    reference: Reference,
    x: float,
    y: float,
    source: str | Phrase | None = None,
    tolerance: float = 0.03,
) -> Energy:
    """The middle is the reference's, moved by x to the right and y down, fractions of the picture: a Huber distance."""

    def measure(sides: Sides) -> Measure:
        by = sides.map.new_tensor([x, y])
        away = properties.centroid(sides.map) - properties.centroid(sides.other_map) - by
        huber = F.huber_loss(away, torch.zeros_like(away), reduction="none", delta=HUBER) / HUBER
        return Measure(huber.sum(1), torch.linalg.vector_norm(away.detach(), dim=1))

    return _term("centroid", words, reference, source, tolerance, measure)


def rescale(
    words: str | Phrase,
    reference: Reference,
    factor: float,
    source: str | Phrase | None = None,
    tolerance: float = 0.02,
) -> Energy:
    """The area is ``factor`` times the reference's: a Huber distance of fractions of the picture."""

    def measure(sides: Sides) -> Measure:
        away = properties.size(sides.map) - factor * properties.size(sides.other_map)
        huber = F.huber_loss(away, torch.zeros_like(away), reduction="none", delta=HUBER) / HUBER
        return Measure(huber, away.detach().abs())

    return _term("size", words, reference, source, tolerance, measure)


def appearance(
    words: str | Phrase, reference: Reference, source: str | Phrase | None = None, tolerance: float = 0.1
) -> Energy:
    """The mean activation under the silhouette is the reference's: mean |a - a'| over mean |a'|, mean over layers.

    Activations are the queries of the layers that are heard. Only they have a gradient, not where one looks: a look
    must not change by moving. Error = energy.
    """

    def measure(sides: Sides) -> Measure:
        apart = [
            _apart(_mean(sides.map, features), _mean(sides.other_map, sides.other.features[layer]))
            for layer, features in sides.own.features.items()
        ]
        distance = torch.stack(apart).mean(0)
        return Measure(distance, distance)

    return _term("appearance", words, reference, source, tolerance, measure)


def _mean(attention: Tensor, features: Tensor) -> Tensor:
    """Of features (batch, channel, y, x), under the silhouette of a map (batch, y, x) of any resolution."""
    size = (features.shape[2], features.shape[3])
    return properties.appearance(F.interpolate(attention.detach()[:, None], size, mode="area")[:, 0], features.float())


def _apart(own: Tensor, goal: Tensor) -> Tensor:
    return (own - goal).abs().mean(1) / goal.abs().mean(1).clamp_min(1e-6)


def _term(
    name: str,
    words: str | Phrase,
    reference: Reference,
    source: str | Phrase | None,
    tolerance: float,
    measure: Callable[[Sides], Measure],
) -> Energy:
    subject, theirs = phrase(words), phrase(words if source is None else source)

    def measured(tape: Tape) -> Measure:
        other = tape.references[id(reference)]
        return measure(Sides(tape, tape.map(subject), other, other.map(theirs)))

    return Energy(
        (Term(f"{name} of {subject}, as before", subject, tolerance, measured, likeness=(reference, theirs)),)
    )
