# SPDX-License-Identifier: MIT
"""Say it: "a castle on the left". What everybody tries first; any model, no cost."""

from dataclasses import dataclass

from torch import Tensor

from benchmarks.baselines.loop import begin, paint
from benchmarks.placement.cases import Case, CaseTarget, middle
from sg_core.errors import TooLong
from sg_core.models.model import Model
from sg_core.toybox.scenes.scene import with_article


@dataclass(frozen=True)
class WordsSettings:
    """How far from the middle, in fractions of the frame, a thing is called left, right, top or bottom."""

    margin: float = 0.12


def words(model: Model, case: Case, seed: int, steps: int, settings: WordsSettings) -> Tensor:
    """The layout in the prompt, in short words where the long ones are more than the model reads."""
    for prefix in (" on the ", " "):
        prompt = case.prompt
        for target in case.targets:
            named = with_article(target.noun)
            prompt = prompt.replace(named, f"{named}{prefix}{side(target, settings.margin)}", 1)
        try:
            return paint(begin(model, case, prompt), case, seed, steps)
        except TooLong:
            continue
    return paint(begin(model, case), case, seed, steps)


def side(target: CaseTarget, margin: float) -> str:
    """left, right, top, bottom or middle: whichever way the target lies farthest from the frame's middle."""
    x, y = middle(target.mask) - 0.5
    if max(abs(x), abs(y)) < margin:
        return "middle"
    if abs(x) >= abs(y):
        return "left" if x < 0 else "right"
    return "top" if y < 0 else "bottom"
