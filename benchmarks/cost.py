# SPDX-License-Identifier: MIT
"""What guidance costs: ratios of CPU seconds taken in turns in one run, beside the floating-point limit."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from types import MappingProxyType

import torch
from torch import nn
from tqdm import tqdm

from benchmarks.cost_paths import (
    Setting,
    attend_and_excite,
    bare_step,
    guided_run,
    guided_step,
    plain_step,
    setting_of,
    unguided_run,
)
from benchmarks.flops import flops
from sg_core.models.live_bytes import peak
from sg_core.models.loading import load
from sg_core.models.stable_diffusion_1 import StableDiffusion1

STEPS = 30
REGIONS = (1, 2, 4, 8, 16)
LAYERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "down_blocks.0": ("down_blocks.0",),
        "up_blocks.1": ("up_blocks.1",),
        "mid_block": ("mid_block",),
        "all": (),
    }
)


@dataclass(frozen=True)
class Seconds:
    """CPU seconds of some works, each done several times, in turns."""

    durations: Mapping[str, Sequence[float]]

    def ratio(self, one: str, other: str) -> float:
        """Of medians."""
        return statistics.median(self.durations[one]) / statistics.median(self.durations[other])

    def spread(self, one: str, other: str) -> tuple[float, float]:
        """The quartiles of the ratio within a turn."""
        turns = [a / b for a, b in zip(self.durations[one], self.durations[other], strict=True)]
        low, _, high = statistics.quantiles(turns, n=4) if len(turns) > 1 else (turns[0],) * 3
        return low, high


def in_turns(works: Mapping[str, Callable[[], object]], turns: int, name: str) -> Seconds:
    """Every work once, uncounted, then all of them ``turns`` times, one after the other: whatever slows the machine
    slows all alike."""
    durations: dict[str, list[float]] = {work: [] for work in works}
    for turn in tqdm(range(turns + 1), desc=name, leave=False):
        for work, run in works.items():
            start = time.process_time()
            run()
            if turn:
                durations[work].append(time.process_time() - start)
    return Seconds(durations)


def step_seconds(setting: Setting, turns: int) -> Seconds:
    """Single steps: plain, guided, the same passes without our code, and with other layers or more regions."""
    works: dict[str, Callable[[], object]] = {
        "plain": partial(plain_step, setting),
        "guided": partial(guided_step, setting),
        "bare": partial(bare_step, setting),
    }
    works |= {name: partial(guided_step, listening_to(setting, blocks)) for name, blocks in LAYERS.items()}
    works |= {f"regions {count}": partial(guided_step, setting_of(setting.model, count)) for count in REGIONS}
    return in_turns(works, turns, "steps")


def run_seconds(setting: Setting, turns: int) -> Seconds:
    """Whole pictures of STEPS steps."""
    works: dict[str, Callable[[], object]] = {
        "unguided": partial(unguided_run, setting, STEPS),
        "guided": partial(guided_run, setting, STEPS),
        "attend and excite": partial(attend_and_excite, setting, STEPS),
    }
    return in_turns(works, turns, "runs")


def flop_limit(setting: Setting) -> float:
    """Floating-point operations of a guided step over those of a plain one."""
    return flops(partial(guided_step, setting)) / flops(partial(plain_step, setting))


def parts(model: StableDiffusion1) -> tuple[nn.Module, ...]:
    """All that has weights."""
    return model.network, model.autoencoder, model.text_encoder


def listening_to(setting: Setting, blocks: tuple[str, ...]) -> Setting:
    """The same with other blocks heard."""
    card = replace(setting.model.card, layers=blocks)
    return replace(setting, model=replace(setting.model, card=card))


def measure(model: str, turns: int) -> dict[str, object]:
    """All figures."""
    setting = setting_of(load(model), 2)
    steps, runs = step_seconds(setting, turns), run_seconds(setting, max(1, turns // 5))
    limits = {name: flop_limit(listening_to(setting, blocks)) for name, blocks in LAYERS.items()}
    limit = flop_limit(setting)
    weights = [weight for part in parts(setting.model) for weight in part.parameters()]
    guided, unguided = (peak(partial(work, setting, 2), weights) for work in (guided_run, unguided_run))
    return {
        "guided_step_ratio": steps.ratio("guided", "plain"),
        "flop_limit": limit,
        "run_ratio": runs.ratio("guided", "unguided"),
        "vs_attend_and_excite": runs.ratio("guided", "attend and excite"),
        "overhead": 1 - steps.ratio("bare", "guided"),
        "memory_ratio": guided / unguided,
        "regions": {str(count): steps.ratio(f"regions {count}", "regions 1") for count in REGIONS},
        "guided_step_over_limit": steps.ratio("guided", "plain") / limit,
        "guided_step_quartiles": list(steps.spread("guided", "plain")),
        "run_quartiles": list(runs.spread("guided", "unguided")),
        "layers": {name: steps.ratio(name, "plain") for name in LAYERS},
        "layers_flop_limit": limits,
        "plain_step_ms": 1000 * statistics.median(steps.durations["plain"]),
    }


def main(words: Sequence[str] | None = None) -> int:
    """`maquette bench cost`."""
    args = parser().parse_args(words)
    before = torch.get_num_threads()
    torch.set_num_threads(args.threads)
    try:
        figures = rounded(measure(args.model, args.turns))
    finally:
        torch.set_num_threads(before)
    if args.json:
        print(json.dumps(figures))
        return 0
    for name, value in figures.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        for part, number in rows:
            print(f"{' '.join(chain([name], [part] if part else [])):>32}  {number}")
    return 0


def rounded(figures: Mapping[str, object]) -> dict[str, object]:
    """To four digits."""

    def short(value: object) -> object:
        if isinstance(value, dict):
            return {name: short(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [short(inner) for inner in value]
        return round(value, 4) if isinstance(value, float) else value

    return {name: short(value) for name, value in figures.items()}


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette bench cost`."""
    flags = argparse.ArgumentParser(prog="maquette bench cost", description=__doc__)
    flags.add_argument("--json", action="store_true", help="print one JSON line instead of a table")
    flags.add_argument("--turns", type=int, default=25, help="how often each step is taken; a fifth of it, each run")
    flags.add_argument("--threads", type=int, default=1, help="CPU threads; seconds of several are added up")
    flags.add_argument("--model", default="toybox", help="a model's name or folder")
    return flags
