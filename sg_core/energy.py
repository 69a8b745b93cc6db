# SPDX-License-Identifier: MIT
"""Energies: what a picture should be like, as numbers read off a Tape. They add, and numbers or schedules scale them.

    layout = shape("castle", mask) + 0.5 * centroid("rocket", 0.8, 0.3)

Each term has an *energy*, whose gradient guides, and an *error*, which people read: 0 when the term has what it asks.
Terms follow Epstein et al. 2023; the share of a mask follows Chen et al. 2024 (layout guidance), presence Chefer et
al. 2023 (attend and excite).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.attention.coverage import mask_by_grid
from sg_core.attention.tape import Tape
from sg_core.edits.reference import Reference
from sg_core.errors import EnergyError
from sg_core.schedule import Schedule, always, times
from sg_core.terms import properties
from sg_core.tokens import Phrase, phrase

Numbers = float | Sequence[float] | Tensor
"""One number for the whole batch, or one for each of its rows."""


@dataclass(frozen=True)
class Measure:
    """One term's view of a tape: energy and error, both (batch,). Energy is differentiable; error is for people."""

    energy: Tensor
    error: Tensor


@dataclass(frozen=True)
class Term:
    """One goal, for one phrase or for none. Its error counts as met below ``tolerance``; ``weight`` may change with
    progress. One that is ``of_picture`` needs the predicted picture, and so the whole network's gradient; one with a
    ``likeness`` reads beside the tape that of a reference, where its caption says this phrase.
    """

    name: str
    phrase: Phrase | None
    tolerance: float
    measure: Callable[[Tape], Measure]
    weight: Schedule = always
    of_picture: bool = False
    likeness: tuple[Reference, Phrase] | None = None


@dataclass(frozen=True)
class Reading:
    """An energy at one step: ``energy`` (batch,), ``errors`` by term name (batch,), ``worst`` error over tolerance."""

    energy: Tensor
    errors: Mapping[str, Tensor]
    worst: Tensor

    def means(self) -> dict[str, float]:
        """Each term's error, mean over the batch."""
        return {name: error.mean().item() for name, error in self.errors.items()}


@dataclass(frozen=True)
class Energy:
    """A sum of weighted terms; ``Energy()`` is the empty sum, so ``sum(energies, Energy())`` works."""

    terms: tuple[Term, ...] = ()

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """Every phrase spoken of, once."""
        return tuple(dict.fromkeys(term.phrase for term in self.terms if term.phrase is not None))

    @property
    def of_picture(self) -> bool:
        """Whether any term needs the predicted picture."""
        return any(term.of_picture for term in self.terms)

    @property
    def references(self) -> dict[Reference, tuple[Phrase, ...]]:
        """The references that terms read, each with the phrases that are read there."""
        pairs = [term.likeness for term in self.terms if term.likeness is not None]
        return {reference: tuple(dict.fromkeys(p for one, p in pairs if one is reference)) for reference, _ in pairs}

    def at(self, progress: float) -> "Energy":
        """The terms that weigh anything at this progress."""
        return Energy(tuple(term for term in self.terms if term.weight(progress) != 0.0))

    def __call__(self, tape: Tape, progress: float = 0.0) -> Reading:
        """Read all terms. Raises EnergyError when there are none, or when a target does not fit the batch."""
        if not self.terms:
            raise EnergyError("an energy without terms has nothing to read: add a term, or sample without an energy")
        measures = [term.measure(tape) for term in self.terms]
        energy = torch.stack([t.weight(progress) * m.energy for t, m in zip(self.terms, measures, strict=True)]).sum(0)
        worst = [m.error.detach() / t.tolerance for t, m in zip(self.terms, measures, strict=True)]
        return Reading(energy, self._errors(measures), torch.stack(worst).amax(0))

    def _errors(self, measures: Sequence[Measure]) -> dict[str, Tensor]:
        """By name; of two terms with one name the larger error, so that neither hides behind the other."""
        errors: dict[str, Tensor] = {}
        for term, measure in zip(self.terms, measures, strict=True):
            error = measure.error.detach()
            errors[term.name] = torch.maximum(errors.get(term.name, error), error)
        return errors

    def __add__(self, other: "Energy") -> "Energy":
        return Energy(self.terms + other.terms) if isinstance(other, Energy) else NotImplemented

    def __mul__(self, weight: float | Schedule) -> "Energy":
        return Energy(tuple(replace(term, weight=times(term.weight, weight)) for term in self.terms))

    __rmul__ = __mul__


def shape(words: str | Phrase, mask: Any, tolerance: float = 0.35) -> Energy:
    """The phrase covers this mask: mean |S - M| + 1/2 (1 - inside / total)^2, with silhouette S and raw attention A.

    The silhouette gives the outline; the share of A inside the mask still pulls when S is saturated or elsewhere.
    The error is 1 - sum min(S, M) / sum max(S, M).

    Args:
        mask: array or tensor (y, x) for all rows of the batch or (batch, y, x), coverage 0 to 1, rows from the top, at
            any resolution.
    """

    def measure(tape: Tape) -> Measure:
        attention, silhouette, target = tape.map(subject), tape.silhouette(subject), target_on(tape)
        outline = (silhouette - target).abs().mean((1, 2))
        share = (attention * target).sum((1, 2)) / attention.sum((1, 2))
        return Measure(outline + 0.5 * (1.0 - share) ** 2, _apart(silhouette.detach(), target))

    subject = phrase(words)
    target_on = _target(mask, subject)
    return _term("shape", subject, tolerance, measure)


def centroid(words: str | Phrase, x: Numbers, y: Numbers, tolerance: float = 0.03) -> Energy:
    """The middle of the phrase is at (x right, y down), in [0, 1] of the picture: a Huber distance.

    Quadratic within 0.1, so that it slows down near its target. The error is the distance in fractions of the side.
    """

    def measure(tape: Tape) -> Measure:
        middle = properties.centroid(tape.map(subject))
        away = middle - torch.stack([_rows(x, middle, subject), _rows(y, middle, subject)], 1)
        huber = F.huber_loss(away, torch.zeros_like(away), reduction="none", delta=0.1) / 0.1
        return Measure(huber.sum(1), torch.linalg.vector_norm(away, dim=1))

    subject = phrase(words)
    return _term("centroid", subject, tolerance, measure)


def size(words: str | Phrase, fraction: Numbers, tolerance: float = 0.02) -> Energy:
    """The phrase covers this fraction of the picture: a Huber distance. The error is the difference of fractions."""

    def measure(tape: Tape) -> Measure:
        area = properties.size(tape.map(subject))
        away = area - _rows(fraction, area, subject)
        return Measure(F.huber_loss(away, torch.zeros_like(away), reduction="none", delta=0.1) / 0.1, away.abs())

    subject = phrase(words)
    return _term("size", subject, tolerance, measure)


def presence(words: str | Phrase, mask: Any = None, tolerance: float = 0.4) -> Energy:
    """The phrase is there at all: 1 - its share among the prompt's words, where that share is largest.

    Silhouettes are blind to magnitude, so a thing can keep its outline and vanish. The share is a softmax over the
    prompt's own words; its mean over the best sixteenth of the picture counts, in which cells outside a mask are
    nothing: a small thing, the likelier to be lost, is never counted as there for good. Error = energy.
    """

    def measure(tape: Tape) -> Measure:
        share = tape.map(subject) / tape.content()
        inside = share if mask is None else share * target_on(tape)
        best = inside.flatten(1).topk(max(1, share[0].numel() // 16)).values.mean(1)
        return Measure(1.0 - best, 1.0 - best)

    subject = phrase(words)
    target_on = _target(mask, subject)
    return _term("presence", subject, tolerance, measure)


def keep_out(words: str | Phrase, mask: Any, tolerance: float = 0.1) -> Energy:
    """The phrase stays out of this mask: the share of its silhouette that lies inside. Error = energy.

    Args:
        mask: as for ``shape``.
    """

    def measure(tape: Tape) -> Measure:
        silhouette = tape.silhouette(subject)
        inside = (silhouette * target_on(tape)).sum((1, 2)) / silhouette.sum((1, 2)).clamp_min(1e-6)
        return Measure(inside, inside)

    subject = phrase(words)
    target_on = _target(mask, subject)
    return _term("keep_out", subject, tolerance, measure)


def _apart(silhouette: Tensor, target: Tensor) -> Tensor:
    """1 - intersection over union of soft outlines, (batch,)."""
    common = torch.minimum(silhouette, target).sum((1, 2))
    return 1.0 - common / torch.maximum(silhouette, target).sum((1, 2)).clamp_min(1e-6)


def _term(name: str, subject: Phrase, tolerance: float, measure: Callable[[Tape], Measure]) -> Energy:
    return Energy((Term(f"{name} of {subject}", subject, tolerance, measure),))


def _target(mask: Any, subject: Phrase) -> Callable[[Tape], Tensor]:
    """A mask on a tape's grid, by area: (1 or batch, y, x)."""
    brought = mask_by_grid(mask, subject)
    return lambda tape: brought(tape.grid, tape.batch, next(iter(tape.attention.values())))


def _rows(numbers: Numbers, like: Tensor, subject: Phrase) -> Tensor:
    """One number a row: (batch,)."""
    values = torch.as_tensor(numbers, dtype=like.dtype, device=like.device)
    if values.ndim > 1 or (values.ndim == 1 and len(values) != like.shape[0]):
        raise EnergyError(f"a target of {subject} has shape {tuple(values.shape)}: give one number, or {like.shape[0]}")
    return values.expand(like.shape[0])
