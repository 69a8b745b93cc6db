# SPDX-License-Identifier: MIT
"""The last steps of a trajectory, walked again over a picture that is there: noise is put back to where they begin,
and the layout holds as ``walked_again`` says.

SDEdit, Meng et al. 2022, arXiv 2108.01073.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sg_core.layout import Layout
from sg_core.models.model import Step, Trajectory
from sg_core.sample import Moment, Watch
from sg_core.schedule import later


@dataclass(frozen=True)
class LastSteps:
    """The end of a trajectory, as one of its own: its progress runs from 0 again."""

    whole: Trajectory
    steps: tuple[Step, ...]

    @property
    def start(self) -> float:
        """The progress of the whole at which they begin."""
        return 1.0 - len(self.steps) / len(self.whole.steps)

    @property
    def spread(self) -> float:
        """That of the whole."""
        return self.whole.spread

    def advance(self, step: Step, latent: Tensor, output: Tensor, noise: Sequence[torch.Generator]) -> Tensor:
        """As the whole does."""
        before = len(self.whole.steps) - len(self.steps)
        return self.whole.advance(self.whole.steps[before + step.index], latent, output, noise)


def last_steps(whole: Trajectory, count: int) -> LastSteps:
    """The last ``count`` steps of a trajectory."""
    steps = whole.steps[len(whole.steps) - count :]
    return LastSteps(whole, tuple(replace(step, index=index, total=count) for index, step in enumerate(steps)))


def walked_again(layout: Layout, start: float) -> Layout:
    """A layout as it holds while a picture is walked again from the progress ``start`` on.

    Noise is not shaped, for there is a picture; words are not emphasised, which decides where objects are, and would
    only coarsen what stands there. Energies and masks begin anew, for noise gives way; what looks at the layout beside
    the network is as it was from there on, and what gave way in the first walk does not come back.
    """
    controls = tuple(replace(control, weight=later(control.weight, start)) for control in layout.controls)
    return replace(layout, noise=None, masks=layout.masks.unemphasised(), controls=controls)


def begun_anew(latent: Tensor, step: Step, noise: Tensor) -> Tensor:
    """A clean latent (batch, channel, y, x), noised as ``step`` expects it, with a noise of its shape."""
    return (step.alpha * latent + step.sigma * noise.to(latent)) / step.shrink


def counted(watch: Watch, before: int, total: int) -> Watch:
    """A watch of one of several passes, before which ``before`` steps were done, of ``total`` in all."""

    def following(moment: Moment) -> None:
        step = before + moment.step
        watch(replace(moment, step=step, steps=total, progress=step / total))

    return following
