# SPDX-License-Identifier: MIT
"""One training phase: working weights, float32 masters, an averaged copy, and a clock instead of a step count.

A phase is measured in minutes, so that a machine's speed decides how much is learned, not whether the plan fits. The
learning rate follows the share of the minutes spent; resuming needs only masters, average and step, not the optimisers'
moments. Muon (Jordan et al., 2024) trains the matrices, since in a short trial it learned faster than AdamW; a CPU that
is slow in bf16, in which Muon is written, uses AdamW for all.
"""

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

SHARD_BYTES = 15_000_000


@dataclass
class Learner:
    """Masters and averages of the modules being trained; the modules themselves hold working copies in `precision`."""

    modules: dict[str, nn.Module]
    learning_rate: float
    decay: float = 0.999
    steps: int = 0
    spent: float = 0.0
    losses: list[float] = field(default_factory=list)

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
            for_matrices(matrices, self.learning_rate, self.precision),
            torch.optim.AdamW(self.rest, lr=0.6 * self.learning_rate, betas=(0.9, 0.98), weight_decay=0.0),
        )
        self.rates = [optimiser.param_groups[0]["lr"] for optimiser in self.optimisers]
        for module in self.modules.values():
            nn.Module.to(module, self.precision)

    def step(self, loss: Tensor, share: float) -> None:
        """One update; `share` of the planned time is over (0..1): warm-up, then cosine to a hundredth."""
        torch.autograd.backward(loss)
        for working, master in zip(self.working, self.masters, strict=True):
            gradient = torch.zeros_like(working) if working.grad is None else working.grad
            master.grad, working.grad = gradient.float().view_as(master), None
        torch.nn.utils.clip_grad_norm_(self.rest, 1.0)
        warm = min(1.0, (self.steps + 1) / 100)
        cool = 0.01 + 0.99 * (1 + math.cos(math.pi * min(share, 1))) / 2
        for optimiser, rate in zip(self.optimisers, self.rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * warm * cool
            optimiser.step()
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_(self.averages, [m.detach() for m in self.masters], 1 - decay)
            self.write(self.masters)

    def write(self, weights: list[Tensor]) -> None:
        """Copy flattened weights into the modules."""
        for working, weight in zip(self.working, weights, strict=True):
            working.copy_(weight.view_as(working))

    def settle(self) -> None:
        """Put the averaged weights into the modules, in float32."""
        for module in self.modules.values():
            nn.Module.to(module, torch.float32)
        with torch.no_grad():
            self.write(self.averages)

    def save(self, folder: Path) -> None:
        """Masters, averages and the clock, in files under 16 MB each."""
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.safetensors"):
            old.unlink()
        for kind, tensors in (("master", self.masters), ("average", self.averages)):
            named = zip(self.names, (t.detach().to(torch.float16) for t in tensors), strict=True)
            for index, shard in enumerate(shards(named)):
                save_file(shard, folder / f"{kind}-{index}.safetensors")
        state = {"steps": self.steps, "spent": self.spent, "losses": self.losses}
        (folder / "state.json").write_text(json.dumps(state))

    def resume(self, folder: Path) -> bool:
        """Take up where `save` left off; False if the folder holds nothing."""
        if not (folder / "state.json").exists():
            return False
        for kind, tensors in (("master", self.masters), ("average", self.averages)):
            saved = {k: v for path in folder.glob(f"{kind}-*.safetensors") for k, v in load_file(path).items()}
            with torch.no_grad():
                for name, tensor in zip(self.names, tensors, strict=True):
                    tensor.copy_(saved[name])
        with torch.no_grad():
            self.write(self.masters)
        state = json.loads((folder / "state.json").read_text())
        self.steps, self.spent, self.losses = state["steps"], state["spent"], state["losses"]
        return True


def precision(device: torch.device) -> torch.dtype:
    """bf16 where the machine has instructions for it: a CPU without them was twenty times slower at a step so."""
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32
    return torch.bfloat16


def for_matrices(matrices: list[Tensor], rate: float, dtype: torch.dtype) -> torch.optim.Optimizer:
    """Muon, whose steps are matched to AdamW's so that both take the same rate; AdamW where bf16 is slow."""
    if dtype is torch.bfloat16:
        return torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    return torch.optim.AdamW(matrices, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)


def is_hidden(name: str, weight: Tensor) -> bool:
    """Whether Muon trains it: the matrices inside, not embeddings, nor the layers that touch pictures and noise."""
    return weight.dim() == 2 and not any(part in name for part in ("embedding", "conv_in", "conv_out", "stem", "read"))


def shards(named: Iterable[tuple[str, Tensor]]) -> list[dict[str, Tensor]]:
    """Tensors gathered into groups under SHARD_BYTES."""
    groups: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in named:
        if size and size + tensor.nbytes > SHARD_BYTES:
            groups.append({})
            size = 0
        groups[-1][name] = tensor.contiguous().cpu()
        size += tensor.nbytes
    return groups


def fit(learner: Learner, loss: Callable[[], Tensor], planned: float, chunk: float, folder: Path, title: str) -> bool:
    """Train for `chunk` minutes of the `planned` ones (whichever ends first), saving at the end and every five minutes.

    Returns whether the plan is fulfilled.
    """
    begun, saved, before = time.monotonic(), time.monotonic(), learner.spent
    with tqdm(total=round(planned * 60), initial=round(before * 60), desc=title, unit="s", mininterval=2) as bar:
        while learner.spent < planned and learner.spent - before < chunk:
            value = loss()
            learner.step(value, learner.spent / planned)
            learner.spent = before + (time.monotonic() - begun) / 60
            bar.update(round(learner.spent * 60) - bar.n)
            if learner.steps % 20 == 0:
                learner.losses.append(round(value.item(), 4))
                bar.set_postfix(step=learner.steps, loss=f"{sum(learner.losses[-20:]) / len(learner.losses[-20:]):.4f}")
            if time.monotonic() - saved > 300:
                learner.save(folder)
                saved = time.monotonic()
    learner.save(folder)
    return learner.spent >= planned
