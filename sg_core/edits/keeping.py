# SPDX-License-Identifier: MIT
"""What of a reference is kept, as terms that add: each is of use alone, and is off bit for bit where it weighs nothing.

    Follow   the first noise goes where its region goes, so that the object begins as what it was made of
    Freeze   outside an open area the picture is the reference's, its noise included
    Carry    inside the region the predicted clean latent is drawn towards the reference's, moved there
    Hold     ... towards the reference's mean and spread, channel by channel (as AdaIN: Huang & Belongie 2017)
    Share    the region also looks at the reference's region (as MasaCtrl: Cao et al. 2023)
    Replace  other words look where the reference's words looked (Prompt-to-Prompt: Hertz et al. 2022)

All but the first and the last two act on the clean picture that the network's output predicts, and nowhere else. So
they fit any scheduler and any kind of output: what is predicted outside the open area is the reference, and the noise
that is left is the one it was noised by.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.edits.movement import Movement, moved_noise
from sg_core.edits.prompt_to_prompt import Alignment
from sg_core.edits.reference import Reference
from sg_core.errors import RequestError
from sg_core.models.model import Model, Step, of_size
from sg_core.schedule import Schedule, always, later, times

LEAST_SPREAD = 0.05  # of a channel inside a region: below it there is nothing to stretch
STRETCH = 2.0  # the most that a spread is changed

Kept = TypeVar("Kept", "Follow", "Freeze", "Carry", "Hold", "Share", "Replace")


@dataclass(frozen=True, eq=False)
class Follow:
    """The reference's noise, moved to where ``target`` (y, x) bool is. ``weight`` at the first step: on from a half."""

    reference: Reference
    movement: Movement
    target: Tensor
    weight: Schedule = always


@dataclass(frozen=True, eq=False)
class Freeze:
    """The reference everywhere but where ``open_area`` (y, x) in 0..1 is."""

    reference: Reference
    open_area: Tensor
    weight: Schedule = always


@dataclass(frozen=True, eq=False)
class Carry:
    """Clean latents ``goal`` (1, channel, y, x), as far as ``cover`` (y, x) in 0..1 reaches."""

    goal: Tensor
    cover: Tensor
    weight: Schedule = always


@dataclass(frozen=True, eq=False)
class Hold:
    """Mean and spread of the reference inside ``old`` (y, x), for what is inside ``new`` (y, x)."""

    reference: Reference
    old: Tensor
    new: Tensor
    weight: Schedule = always


@dataclass(frozen=True, eq=False)
class Share:
    """Keys and values of the reference's ``old`` (y, x), for the cells of ``new`` (y, x)."""

    reference: Reference
    old: Tensor
    new: Tensor
    weight: Schedule = always


@dataclass(frozen=True, eq=False)
class Replace:
    """The reference's attention to words, for those that stand in their place; and of the picture to itself, where
    there is no ``alignment``."""

    reference: Reference
    alignment: Alignment | None
    weight: Schedule = always


@dataclass(frozen=True)
class Keeping:
    """Terms that keep something of references. ``Keeping()`` keeps nothing.

    One that is ``resumed`` holds in a picture that was begun already: no reference's noise begins it.
    """

    terms: tuple[Follow | Freeze | Carry | Hold | Share | Replace, ...] = ()
    resumed: bool = False

    def __add__(self, other: "Keeping") -> "Keeping":
        return Keeping(self.terms + other.terms, self.resumed or other.resumed)

    def __mul__(self, weight: float | Schedule) -> "Keeping":
        terms = tuple(replace(term, weight=times(term.weight, weight)) for term in self.terms)
        return Keeping(terms, self.resumed)

    __rmul__ = __mul__

    def resume(self, start: float) -> "Keeping":
        """The terms as they hold where a picture is walked again from this progress on."""
        return Keeping(tuple(replace(term, weight=later(term.weight, start)) for term in self.terms), resumed=True)

    def of(self, kind: type[Kept], progress: float) -> list[Kept]:
        """The terms of one kind that weigh anything at this progress."""
        return [term for term in self.terms if isinstance(term, kind) and term.weight(progress) > 0.0]

    def begun(self, noise: Tensor) -> Tensor:
        """Unit noise (batch, channel, y, x) to begin with: the references' outside open areas, and where it moved to.

        Raises RequestError for references of another size.
        """
        if self.resumed:
            return noise
        for each in self.terms:
            check_size(each.goal if isinstance(each, Carry) else each.reference.latent, noise)
        for term in self.of(Freeze, 0.0):
            noise = torch.where(term.open_area.to(noise) > 0, noise, term.reference.noise)
        for mover in self.of(Follow, 0.0):
            travelled = moved_noise(mover.reference.noise, mover.movement, mover.target)
            changed = (travelled != mover.reference.noise).any(1, keepdim=True)
            noise = torch.where(changed | mover.target.to(noise.device), travelled, noise)
        return noise

    def corrected(self, model: Model, output: Tensor, noisy: Tensor, step: Step) -> Tensor:
        """The network's output, such that the clean latent it predicts is as the terms want it."""
        if not any(isinstance(t, Freeze | Carry | Hold) and t.weight(step.progress) > 0 for t in self.terms):
            return output
        kind = model.parametrisation
        clean = kind.to_clean(output, noisy, step.alpha, step.sigma)
        for holder in self.of(Hold, step.progress):
            clean = clean + holder.weight(step.progress) * (held(clean, holder) - clean) * holder.new.to(clean)
        for carrier in self.of(Carry, step.progress):
            share = min(1.0, carrier.weight(step.progress)) * carrier.cover.to(clean)
            clean = clean + share * (carrier.goal.to(clean) - clean)
        for freezer in self.of(Freeze, step.progress):
            outside = min(1.0, freezer.weight(step.progress)) * (1 - freezer.open_area.to(clean))
            clean = clean + outside * (freezer.reference.latent.to(clean) - clean)
        return kind.from_clean(clean, noisy, step.alpha, step.sigma)

    def composed(self, model: Model, pictures: Tensor) -> Tensor:
        """Pictures (batch, 3, height, width) in 0..1 that end, outside open areas, in the references' own pixels.

        A decoder looks further than a cell, and encoding a photograph loses some of it. The transition lies in the half
        cells on both sides of an area's edge.
        """
        for term in self.of(Freeze, 0.0):
            height, width = pictures.shape[2:]
            cells = term.open_area.to(pictures)[None, None]
            inside = F.interpolate(cells, (height, width), mode="bilinear", align_corners=False)
            own = of_size(term.reference.decoded(model).to(pictures), width, height)
            pictures = torch.where(inside == 0, own, own + inside * (pictures - own))
        return pictures


def held(clean: Tensor, term: Hold) -> Tensor:
    """Clean latents (batch, channel, y, x) with the reference's mean and spread inside the new region."""
    old, new, reference = (values.to(clean) for values in (term.old, term.new, term.reference.latent))

    def mean(values: Tensor, weight: Tensor) -> Tensor:
        return (values * weight).sum((2, 3), keepdim=True) / weight.sum().clamp_min(1e-6)

    goal, middle = mean(reference, old), mean(clean, new)
    wide, spread = (
        mean((values - about) ** 2, cover).sqrt()
        for values, about, cover in ((reference, goal, old), (clean, middle, new))
    )
    factor = (wide / spread.clamp_min(LEAST_SPREAD)).clamp(1 / STRETCH, STRETCH)
    return (clean - middle) * factor + goal


def check_size(reference: Tensor, latent: Tensor) -> None:
    """Raise RequestError for a reference's latent of another size than the picture's, both (batch, channel, y, x)."""
    if reference.shape[1:] != latent.shape[1:]:
        sizes = [f"{shape[-1]} x {shape[-2]}" for shape in (reference.shape, latent.shape)]
        raise RequestError(
            f"the reference is {sizes[0]} cells and the picture {sizes[1]}: "
            "paint at the reference's size, and with the model that it is encoded by"
        )
