# SPDX-License-Identifier: MIT
"""One part in training: working weights, float32 masters, an averaged copy, and a clock of core-hours.

Training is measured in core-hours, so that a stop, a pause or a busy machine changes nothing. The learning rate stays
level and sinks over the last quarter of the plan (Hu et al., 2024, arXiv 2404.06395): a longer plan only moves the end.
Resuming needs masters, averages and clock, not the optimisers' moments. Muon (Jordan et al., 2024) trains the matrices,
since in a short trial it learned faster than AdamW, and AdamW the rest.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from sg_core.toybox.recipe import Lesson
from sg_core.toybox.training import checkpoint
from sg_core.toybox.training.muon import Float32Muon

WARM_STEPS = 100
SINKING = 0.25
DECAY = 0.01  # of the matrices


@dataclass
class Learner:
    """Masters and averages of the modules being trained; the modules themselves hold working copies in `precision`.

    `planned` and `spent` are hours of `clock`, which gives seconds. An average of the first steps of all soon forgets
    where they began; of modules that are `trained` already that is worth keeping, and it decays as it does later.
    """

    modules: dict[str, nn.Module]
    lesson: Lesson
    planned: float
    clock: Callable[[], float] = time.process_time
    trained: bool = False
    steps: int = 0
    pictures: int = 0
    spent: float = 0.0
    losses: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        named = [(f"{name}.{key}", p) for name, m in self.modules.items() for key, p in m.named_parameters()]
        named = [(name, p) for name, p in named if p.requires_grad]
        self.names = [name for name, _ in named]
        self.working: list[Tensor] = [p for _, p in named]
        # Muon wants matrices: a convolution's kernel is one, (out, in * height * width).
        flat = [p.detach().float().flatten(1) if p.dim() > 2 else p.detach().float() for p in self.working]
        self.masters = [p.clone().requires_grad_() for p in flat]
        self.averages = [p.detach().clone() for p in self.masters]
        hidden = [is_hidden(name, p) for name, p in zip(self.names, self.masters, strict=True)]
        matrices = [p for p, inside in zip(self.masters, hidden, strict=True) if inside]
        self.rest = [p for p, inside in zip(self.masters, hidden, strict=True) if not inside]
        self.precision = precision(self.working[0].device)
        self.optimisers = (
            for_matrices(matrices, self.lesson.rate, self.precision),
            torch.optim.AdamW(self.rest, lr=0.6 * self.lesson.rate, betas=(0.9, 0.98), weight_decay=0.0),
        )
        self.rates = [optimiser.param_groups[0]["lr"] for optimiser in self.optimisers]
        self.fresh = 0
        self.recent: list[float] = []
        for module in self.modules.values():
            nn.Module.to(module, self.precision)

    def step(self, loss: Tensor, pictures: int) -> None:
        """One update from a loss over so many pictures; the rate warms up after every start."""
        torch.autograd.backward(loss)
        for working, master in zip(self.working, self.masters, strict=True):
            gradient = torch.zeros_like(working) if working.grad is None else working.grad
            master.grad, working.grad = gradient.float().view_as(master), None
        torch.nn.utils.clip_grad_norm_(self.rest, 1.0)
        self.steps, self.fresh, self.pictures = self.steps + 1, self.fresh + 1, self.pictures + pictures
        share = min(1.0, self.fresh / WARM_STEPS) * min(1.0, max(0.01, (1 - self.spent / self.planned) / SINKING))
        for optimiser, rate in zip(self.optimisers, self.rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * share
            optimiser.step()
        decay = self.lesson.decay if self.trained else min(self.lesson.decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, [m.detach() for m in self.masters], 1 - decay)
            self.write(self.masters)
        self.recent.append(loss.item())

    def turn(self, name: str, loss: Callable[[], tuple[Tensor, int]], over: Callable[[], bool], seconds: float) -> str:
        """Steps for so many seconds of the clock, one at least, or until `over()`; returns a line for the log."""
        begun = self.clock()
        while True:
            with self.timed():
                self.step(*loss())
            if over() or self.clock() - begun > seconds or self.spent >= self.planned:
                break
        speed, mean = self.pictures / max(self.spent * 3600, 1e-9), self.note()
        return f"{name} step {self.steps} loss {mean:.4f}, {speed:.1f} pictures/s, {self.spent:.3f} core-hours"

    @contextmanager
    def timed(self) -> Iterator[None]:
        """What runs inside is counted."""
        begun, before = self.clock(), self.spent
        try:
            yield
        finally:
            self.spent = before + (self.clock() - begun) / 3600

    def note(self) -> float:
        """The mean loss since the last note, kept with its hour and step: the training curve."""
        mean = sum(self.recent) / len(self.recent)
        self.losses.append([round(self.spent, 4), self.steps, round(mean, 4)])
        self.recent = []
        return mean

    def write(self, weights: list[Tensor]) -> None:
        """Copy flattened weights into the modules."""
        with torch.no_grad():
            for working, weight in zip(self.working, weights, strict=True):
                working.copy_(weight.view_as(working))

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The modules hold the averaged weights meanwhile, in the working precision."""
        self.write(self.averages)
        try:
            yield
        finally:
            self.write(self.masters)

    @contextmanager
    def settled(self) -> Iterator[None]:
        """The modules hold the averaged weights meanwhile, in float32: to save them."""
        for module in self.modules.values():
            nn.Module.to(module, torch.float32)
        try:
            with self.averaged():
                yield
        finally:
            for module in self.modules.values():
                nn.Module.to(module, self.precision)
            self.write(self.masters)

    def save(self, folder: Path, name: str) -> None:
        """Masters, averages and the clock."""
        kinds = {"master": self.masters, "average": self.averages}
        tensors = {kind: dict(zip(self.names, some, strict=True)) for kind, some in kinds.items()}
        state: checkpoint.CheckpointState = {"steps": self.steps, "pictures": self.pictures, "spent": self.spent}
        checkpoint.write(folder, name, tensors, state | {"losses": self.losses})

    def resume(self, folder: Path, name: str) -> bool:
        """Take up where `save` left off; False if the folder holds nothing."""
        stored = checkpoint.read(folder, name, ("master", "average"))
        if stored is None:
            return False
        (masters, averages), state = stored
        with torch.no_grad():
            for key, master, average in zip(self.names, self.masters, self.averages, strict=True):
                master.copy_(masters[key])
                average.copy_(averages[key])
        self.write(self.masters)
        self.steps, self.pictures, self.spent = int(state["steps"]), int(state["pictures"]), float(state["spent"])
        self.losses = list(state["losses"])
        return True


def precision(device: torch.device) -> torch.dtype:
    """bf16 where the machine has instructions for it: a CPU without them was twenty times slower at a step so."""
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32
    return torch.bfloat16


def for_matrices(matrices: list[Tensor], rate: float, dtype: torch.dtype) -> torch.optim.Optimizer:
    """Muon, whose steps are matched to AdamW's so that both take the same rate; in float32 where bf16 is slow."""
    if dtype is torch.bfloat16:
        return torch.optim.Muon(matrices, lr=rate, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw")
    return Float32Muon(matrices, rate, DECAY)


def is_hidden(name: str, weight: Tensor) -> bool:
    """Whether Muon trains it: the matrices inside, not embeddings, nor the layers that touch pictures and noise."""
    return weight.dim() == 2 and not any(part in name for part in ("embedding", "conv_in", "conv_out", "stem", "read"))
