# SPDX-License-Identifier: MIT
"""A run that is looked into while it paints: the same picture, and what every step looked at and was pulled by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from sg_core.attention.coverage import mask_by_grid
from sg_core.energy import Energy
from sg_core.generate import generate
from sg_core.inspection.insight import Insight
from sg_core.layout import Layout, as_layout
from sg_core.models.model import Model
from sg_core.sample import Moment, Watch, unwatched
from sg_core.tokens import Phrase, phrase

PREVIEWS = 16  # steps of which the predicted picture is kept, evenly spread
PREVIEW_SIDE = 160  # pixels of its longer side


@dataclass(frozen=True)
class InspectedStep:
    """One step: ``step`` of ``steps`` is done; ``preview`` is the picture that was predicted, (3, y, x) in 0..1 and
    small, of the steps that have one."""

    step: int
    steps: int
    insight: Insight
    preview: Tensor | None = None


@dataclass(frozen=True)
class Inspection:
    """A run and its picture (3, height, width), the first row of its batch where it has several.

    Attributes:
        targets: phrase to where it was to be, coverage (y, x) in 0..1 at any resolution; of those that have a place.
    """

    picture: Tensor
    steps: tuple[InspectedStep, ...]
    targets: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def phrases(self) -> tuple[str, ...]:
        """Every phrase that was looked at, those with a place first."""
        maps = self.steps[0].insight.maps if self.steps else {}
        return tuple(sorted(maps, key=lambda words: words not in self.targets))

    @property
    def terms(self) -> tuple[str, ...]:
        """Every term that weighed anything at some step, in their order."""
        return tuple(dict.fromkeys(name for step in self.steps for name in step.insight.errors))

    def share_inside(self, words: str) -> list[float]:
        """For each step, how much of a phrase's attention falls on where it was to be, 0..1.

        Raises KeyError for a phrase without a place.
        """
        target = mask_by_grid(self.targets[words], phrase(words))
        maps = [step.insight.maps[words][0] for step in self.steps]  # larger in a pass that enlarges the picture
        inside = [one * target((one.shape[0], one.shape[1]), 1, one)[0] for one in maps]
        return [float(part.sum() / one.sum().clamp_min(1e-12)) for part, one in zip(inside, maps, strict=True)]

    def share_of_words(self, words: str) -> list[float]:
        """For each step, the phrase's share of the attention to all words, over its best sixteenth of the picture."""
        shares = []
        for step in self.steps:
            share = (step.insight.maps[words][0] / step.insight.content[0].clamp_min(1e-12)).flatten()
            shares.append(float(share.topk(max(1, share.numel() // 16)).values.mean()))
        return shares


class InspectionRecorder:
    """A Watch that keeps what it sees; another one, ``also``, hears everything too."""

    def __init__(self, also: Watch = unwatched, previews: int = PREVIEWS) -> None:
        self.steps: list[InspectedStep] = []
        self._also, self._previews = also, previews

    def __call__(self, moment: Moment) -> None:
        """Keep the step."""
        if moment.insight is not None:
            step = InspectedStep(moment.step, moment.steps, moment.insight)
            if moment.step in chosen_steps(moment.steps, self._previews):
                step = replace(step, preview=reduced(moment.preview()[0]))
            self.steps.append(step)
        self._also(moment)

    def inspection(self, picture: Tensor, targets: Mapping[str, Any]) -> Inspection:
        """All of it, with the finished picture (3, height, width) and where phrases were to be."""
        masks = {words: torch.as_tensor(mask, dtype=torch.float32).cpu() for words, mask in targets.items()}
        first = {
            words: mask if mask.ndim == 2 else mask[0] for words, mask in masks.items()
        }  # the picture's that is shown
        return Inspection(picture.detach().float().cpu(), tuple(self.steps), first)


def inspected(
    model: Model,
    prompt: str,
    layout: Energy | Layout | None = None,
    *,
    phrases: Iterable[str | Phrase] = (),
    targets: Mapping[str, Any] | None = None,
    previews: int = PREVIEWS,
    watch: Watch | None = None,
    **options: Any,
) -> Inspection:
    """Paint one picture and look into every step of it. The picture is the one that ``generate`` paints, bit for bit.

    Args:
        layout: as for ``generate``, with all that it keeps of other pictures.
        phrases: to look at besides the layout's.
        targets: phrase to mask (y, x) of where it is to be; those of the layout's masks by default.
        previews: so many of the steps keep their predicted picture; each costs a decoding.
        options: as for ``generate``.

    Raises what ``generate`` raises.
    """
    everything = as_layout(layout)
    recorder = InspectionRecorder(watch or unwatched, previews)
    pictures = generate(model, prompt, everything, watch=recorder, inspected=tuple(phrases), **options)
    return recorder.inspection(pictures[0], targets_of(everything) if targets is None else targets)


def targets_of(layout: Layout) -> dict[str, Any]:
    """Where a layout's masks have each phrase."""
    return {str(term.phrase): term.coverage for term in layout.masks.terms}


def chosen_steps(total: int, count: int) -> Sequence[int]:
    """Which of the steps 1 to ``total`` are shown where only so many can be: the first, the last, evenly between."""
    if count >= total:
        return range(1, total + 1)
    return sorted({1 + round(number * (total - 1) / max(1, count - 1)) for number in range(count)})


def reduced(picture: Tensor) -> Tensor:
    """A picture (3, y, x), its longer side PREVIEW_SIDE at most, on the CPU."""
    factor = PREVIEW_SIDE / max(picture.shape[1:])
    values = picture.detach().float().cpu()
    if factor >= 1:
        return values.clamp(0, 1)
    size = [max(1, round(side * factor)) for side in values.shape[1:]]
    return F.interpolate(values[None], size, mode="area")[0].clamp(0, 1)
