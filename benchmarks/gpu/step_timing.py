# SPDX-License-Identifier: MIT
"""Milliseconds and bytes of one step of the very loop that paints: plain, guided, and guided with checkpointing."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu.real_networks import RealNetwork, conditioning
from sg_core import Phrase, Relative, place
from sg_core.energy import Energy
from sg_core.guidance import nothing_yet
from sg_core.models.live_bytes import peak
from sg_core.models.loading import FAMILIES
from sg_core.models.model import Model, Step
from sg_core.sample import Texts, conditional_pass, guided_output
from sg_core.tokens import Words

TURNS = 10  # of each step at most
GIBIBYTE = 2**30


@dataclass(frozen=True)
class StepCost:
    """``ms`` of one step, the median of ``turns``, and the most GiB at once, weights included."""

    ms: float
    peak_gib: float
    turns: int


@dataclass(frozen=True)
class TimedStep:
    """A model in the middle of its way, and the layout that pulls at it."""

    model: Model
    latent: Tensor
    step: Step
    texts: Texts
    energy: Energy

    def plain(self) -> Tensor:
        """The step without guidance: one pass, or two."""
        return self._output(Energy())

    def guided(self) -> Tensor:
        """The step with the pull of two regions."""
        return self._output(self.energy)

    def _output(self, energy: Energy) -> Tensor:
        model, scale = self.model, self.model.card.scale
        follow = bool(energy.terms)
        passed = conditional_pass(model, self.latent, self.step, self.texts, energy, follow=follow)
        with torch.no_grad():
            output, correction = guided_output(model, self.latent, self.step, self.texts, scale, passed.output)
            if passed.reading is None or passed.gradient is None:
                return output
            memory = nothing_yet(self.latent).after(passed.reading).along(passed.gradient)
            return output + Relative(0.7).push(passed.gradient, correction, self.step, model.parametrisation, memory)


def timed_step(real: RealNetwork, model: Model, side: int) -> TimedStep:
    """A step of a picture of this side, in pixels, with two phrases of one word each."""
    device = next(model.network.parameters()).device
    channels = _channels(model)
    family = FAMILIES[real.family].family
    pixels = 8 if family is None else family.pixels
    latent = torch.randn(1, channels, side // pixels, side // pixels, device=device)
    text = conditioning(real, model)
    plain = conditioning(real, model) if model.card.guided_by == "pass" else None
    left, right = Phrase("castle"), Phrase("rocket")
    words = Words({left: ((2,),), right: ((5,),)}, (tuple(range(1, 8)),))
    mask = torch.zeros(16, 16)
    mask[:, :8] = 1.0
    regions: dict[str | Phrase, Tensor] = {left: mask, right: 1.0 - mask}
    energy = place(regions)
    return TimedStep(model, latent, Step(1, 4, 600.0, 0.7, 0.7), Texts(text, plain, words), energy)


def _channels(model: Model) -> int:
    network: Any = model.network
    family = FAMILIES[model.card.family].family
    return int(network.config.in_channels) if family is None else family.channels(model.pipe)  # type: ignore[attr-defined]


def costs(step: TimedStep, seconds: float) -> dict[str, StepCost | None]:
    """Of a plain, a guided and a checkpointed guided step, in about so many seconds; None where memory ran out."""
    works: dict[str, Callable[[], Tensor]] = {"plain": step.plain, "guided": step.guided}
    result = {name: cost(work, step, seconds / 3) for name, work in works.items()}
    family = FAMILIES[step.model.card.family].family
    if family is None or family.checkpoints:
        with checkpointing(step.model):
            result["checkpointed"] = cost(step.guided, step, seconds / 3)
    return result


@contextmanager
def checkpointing(model: Model) -> Iterator[None]:
    """Inside, guided passes compute anew what their gradient needs."""
    network: Any = model.network
    network.enable_gradient_checkpointing()
    try:
        yield
    finally:
        network.disable_gradient_checkpointing()


def cost(work: Callable[[], Tensor], step: TimedStep, seconds: float) -> StepCost | None:
    """Of one kind of step. Once uncounted, for kernels are chosen then. Raises ValueError for numbers that are none."""
    begun, durations, most = time.monotonic(), list[float](), 0
    with suppress(torch.OutOfMemoryError):
        most = peak_bytes(work, step)
        while not durations or (len(durations) < TURNS and time.monotonic() - begun < seconds):
            start = time.perf_counter()
            output = work()
            synchronised(step.latent.device)
            durations.append(time.perf_counter() - start)
            if not bool(output.isfinite().all()):
                raise ValueError(f"{step.model.card.name} gives numbers that are none with these weights")
    if not durations:
        torch.cuda.empty_cache()
        return None
    return StepCost(round(statistics.median(durations) * 1000, 1), round(most / GIBIBYTE, 6), len(durations))


def peak_bytes(work: Callable[[], Tensor], step: TimedStep) -> int:
    """The most that is allocated at once: by the GPU's own count, or counted by us on a CPU."""
    device = step.latent.device
    if device.type != "cuda":
        return peak(work, [*step.model.network.parameters(), *step.model.network.buffers()])
    torch.cuda.reset_peak_memory_stats(device)
    work()
    synchronised(device)
    return int(torch.cuda.max_memory_allocated(device))


def synchronised(device: torch.device) -> None:
    """Returns when everything that was asked of a GPU is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
