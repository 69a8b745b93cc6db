# SPDX-License-Identifier: MIT
"""A layout: all that says what should be where. Its parts add up, and numbers or schedules scale them.

layout = place(regions) + masks(regions, until=0.7)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor, nn

from sg_core import schedule
from sg_core.attention.masks import Masks, RegionMask
from sg_core.edits.keeping import Keeping
from sg_core.energy import Energy
from sg_core.models.companions.controlnet import Control
from sg_core.schedule import Schedule, times
from sg_core.terms.noise_shaping import NoiseShaping
from sg_core.tokens import Phrase, phrase

UNTIL = 0.7  # progress; masks to the very end were no better
SOFTNESS = 0.0


@dataclass(frozen=True)
class Layout:
    """Energies, which pull, and masks, which hold. ``Layout()`` asks for nothing; ``sum(parts, Layout())`` works.

    ``noise`` says how the initial noise is shaped; inside the union of ``confined`` alone, if any, energies may act;
    ``keeping`` is what is kept of other pictures; ``controls`` are networks that look at a picture of the layout.
    """

    energy: Energy = field(default_factory=Energy)
    masks: Masks = field(default_factory=Masks)
    noise: NoiseShaping | None = None
    confined: tuple[Any, ...] = ()
    keeping: Keeping = field(default_factory=Keeping)
    controls: tuple[Control, ...] = ()

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        """Every phrase spoken of, once."""
        return tuple(dict.fromkeys((*self.energy.phrases, *self.masks.phrases)))

    def __add__(self, other: "Energy | Layout") -> "Layout":
        added = as_layout(other)
        energy, masks = self.energy + added.energy, self.masks + added.masks
        confines, keeping = self.confined + added.confined, self.keeping + added.keeping
        controls = self.controls + added.controls
        return Layout(energy, masks, added.noise or self.noise, confines, keeping, controls)

    def __radd__(self, other: Energy) -> "Layout":
        return as_layout(other) + self

    def __mul__(self, weight: float | Schedule) -> "Layout":
        controls = tuple(replace(control, weight=times(control.weight, weight)) for control in self.controls)
        energy, masks, keeping = self.energy * weight, self.masks * weight, self.keeping * weight
        return replace(self, energy=energy, masks=masks, keeping=keeping, controls=controls)

    __rmul__ = __mul__


def as_layout(part: Energy | Layout | None) -> Layout:
    """Energies alone, or nothing, as a layout."""
    if part is None:
        return Layout()
    return Layout(energy=part) if isinstance(part, Energy) else part


def masks(
    regions: Mapping[str, Any] | Mapping[Phrase, Any] | Mapping[str | Phrase, Any],
    *,
    until: float = UNTIL,
    softness: float = SOFTNESS,
    layers: Sequence[str] = (),
    emphasis: float = 0.0,
) -> Layout:
    """Each phrase is heard only inside its mask, while progress is below ``until``.

    Args:
        regions: phrase to mask as for ``energy.shape``, the nearest first.
        softness: of the edges. At 0 a cell of the grid is a region's from a quarter of the coverage of its best cell
            on; at 1 as much as it is covered.
        layers: beginnings of layers' names, such as ``up_blocks``; none named means all.
        emphasis: how much more the phrase is heard inside, e^emphasis times at the first step, fading to the last. A
            Card says what suits a model.
    """
    weight = schedule.until(until)
    terms = tuple(RegionMask(phrase(w), mask, weight, softness, tuple(layers), emphasis) for w, mask in regions.items())
    return Layout(masks=Masks(terms))


def shaped_noise(iterations: int = 3, *, inside: Any = None, length: float = 0.15, bound: float = 2.0) -> Layout:
    """The energies shape the initial noise too, before the first step: worth its time where steps are few.

    Args:
        iterations: 0 to 3, each a forward and a backward pass.
        inside: mask of where the noise may change, as for ``energy.shape``, with some room around the regions. Noise
            that changes everywhere brings other backdrops than the prompt's.
        length: RMS of each, in units of the noise.
        bound: largest power of the low frequencies, against those of the noise as it was drawn.

    Raises RequestError for more iterations.
    """
    return Layout(noise=NoiseShaping(iterations, length, bound, inside))


def confined(mask: Any) -> Layout:
    """Energies change the picture inside this mask only, or inside any of several; what is outside only follows.

    Args:
        mask: as for ``energy.shape``; leave room around the regions, for things that are elsewhere have to leave.
    """
    return Layout(confined=(mask,))


def control(network: nn.Module, picture: Tensor, *, scale: float = 1.0, until: float = 1.0) -> Layout:
    """A ControlNet beside all else, while progress is below ``until``.

    Args:
        network: as ``controlnet`` loads it.
        picture: what it looks at, (3, y, x) or (1 or batch, 3, y, x) in 0..1, of any size: depth, the nearest white, or
            edges, white on black, as the network was trained on.
        scale: how much of what it makes of that is added; 1 is as it was trained, 0 nothing, bit for bit.
    """
    pictures = picture if picture.ndim == 4 else picture[None]
    return Layout(controls=(Control(network, pictures, times(schedule.until(until), scale)),))
