# SPDX-License-Identifier: MIT
"""One plain sampling loop, with two places where a baseline may act: on the latent before a step, and around the
conditional pass."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.baselines.attention import Listener, listening
from benchmarks.placement.cases import Case
from sg_core.conditioning import Conditioning
from sg_core.models.model import Model, Step, of_size
from sg_core.noise import initial_noise
from sg_core.tokens import Phrase

Loss = Callable[[Listener, Tensor], Tensor]
"""A number to make smaller, of what was heard in a pass over a latent."""


@dataclass(frozen=True)
class Run:
    """One picture on its way: the model, its texts, the case's masks (y, x) far to near, and each noun's keys."""

    model: Model
    text: Conditioning
    plain: Conditioning
    masks: tuple[Tensor, ...]
    keys: tuple[tuple[int, ...], ...]
    content: tuple[int, ...]

    def gradient(self, latent: Tensor, step: Step, hear: Sequence[str], loss: Loss) -> tuple[float, Tensor]:
        """The loss of one pass over a latent, and its gradient by the latent."""
        with torch.enable_grad(), listening(self.model.network, hear) as overheard:
            leaf = latent.detach().requires_grad_()
            self.model.predict(leaf, step, self.text)
            value = loss(overheard, leaf)
        return value.item(), torch.autograd.grad(value, leaf)[0]


Before = Callable[[Run, Tensor, Step], Tensor]
Around = Callable[[Run, Tensor, Step], AbstractContextManager[object]]


def unchanged(run: Run, latent: Tensor, step: Step) -> Tensor:
    """What a baseline does that leaves the latent alone."""
    return latent


def untouched(run: Run, latent: Tensor, step: Step) -> AbstractContextManager[object]:
    """What a baseline does that leaves the conditional pass alone."""
    return nullcontext()


def begin(model: Model, case: Case, prompt: str | None = None) -> Run:
    """What is known before the first step; ``prompt`` is another than the case's own, with the same nouns."""
    text = case.prompt if prompt is None else prompt
    words = model.words([text], [Phrase(target.noun) for target in case.targets])
    keys = tuple(words.phrases[Phrase(target.noun)][0] for target in case.targets)
    masks = tuple(torch.from_numpy(target.mask) for target in case.targets)
    return Run(model, model.encode([text]), model.encode([""]), masks, keys, words.content[0])


def paint(
    run: Run, case: Case, seed: int, steps: int, before: Before = unchanged, around: Around = untouched
) -> Tensor:
    """The picture (3, y, x) in 0..1, by DDIM at the model's own scale."""
    model, noise = run.model, [torch.Generator("cpu").manual_seed(seed)]
    side, scale = case.targets[0].mask.shape[0], run.model.card.scale
    trajectory = model.steps(steps, "ddim")
    latent = initial_noise(noise, model.latent_shape(side, side))
    for step in trajectory.steps:
        latent = before(run, latent, step)
        with torch.no_grad():
            with around(run, latent, step):
                conditional = model.predict(latent, step, run.text)
            plain = model.predict(latent, step, run.plain)
            latent = trajectory.advance(step, latent, plain + scale * (conditional - plain), noise)
    return of_size(model.decode(latent), side, side)[0]


def fading_root(step: Step) -> float:
    """From 1 at the first step to the root of a half at the last: the pace of attend-and-excite and its kin."""
    return float((1 - 0.5 * step.progress) ** 0.5)
