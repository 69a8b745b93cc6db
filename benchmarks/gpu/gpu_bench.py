# SPDX-License-Identifier: MIT
"""What a guided step costs on this GPU, at real size, with random weights: ``maquette bench gpu``. In three minutes.

Rows come in the order of their worth; one that does not fit, or has no time left, is left out and says so. Each is
printed on standard error as soon as it is there, so that a run that is broken off has not been for nothing.
"""

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import torch

from benchmarks.gpu.real_networks import REAL_NETWORKS, RealNetwork, build, size_in_bytes
from benchmarks.gpu.step_timing import GIBIBYTE, StepCost, costs, timed_step
from server.cli.terminal import complain, say

SECONDS = 165.0  # in all; making the last network and leaving take some more
LEAST = 12.0  # seconds without which no row is begun
ROW = 24.0  # seconds of steps in a row at most
ROOM = 1.05  # weights are not everything: so much of them must fit
TINY_SIDE = 64


@dataclass(frozen=True)
class GpuRow:
    """One network: GiB of its weights, and its steps, None where memory ran out."""

    name: str
    side: int
    dtype: str
    layers: int
    weights_gib: float
    steps: dict[str, StepCost | None]

    @property
    def ratio(self) -> float | None:
        """A guided step over a plain one."""
        guided, plain = self.steps.get("guided"), self.steps.get("plain")
        return None if guided is None or plain is None else round(guided.ms / plain.ms, 3)


@dataclass(frozen=True)
class Leftover:
    """A row that was not measured, and why."""

    name: str
    reason: str


def main(argv: Sequence[str] | None = None) -> int:
    """The command: 0 when at least one row was measured."""
    words = parser().parse_args(argv)
    begun, dtype = time.monotonic(), getattr(torch, words.precision)
    rows: list[GpuRow] = []
    leftovers: list[Leftover] = []
    complain(f"{device_name(words.device)}, torch {torch.__version__}\n{head()}")
    for key in words.rows:
        left = words.seconds - (time.monotonic() - begun)
        real = REAL_NETWORKS[key]
        real = replace(real, side=words.side or real.side)
        row = measured(real, words.device, dtype, left, tiny=words.tiny)
        if isinstance(row, GpuRow):
            rows.append(row)
            complain(line(row))
        else:
            leftovers.append(row)
            complain(f"{row.name}: {row.reason}")
    took = round(time.monotonic() - begun, 1)
    if words.json:
        say(json.dumps(_document(words.device, rows, leftovers, took)))
    else:
        say("\n".join([head(), *map(line, rows), *(f"{item.name}: {item.reason}" for item in leftovers)]))
    return 0 if rows else 1


def parser() -> argparse.ArgumentParser:
    """Its flags."""
    flags = argparse.ArgumentParser(prog="maquette bench gpu", description=__doc__)
    flags.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    flags.add_argument("--precision", choices=("bfloat16", "float16", "float32"), default="bfloat16")
    flags.add_argument("--rows", nargs="+", choices=tuple(REAL_NETWORKS), default=list(REAL_NETWORKS), help="which")
    flags.add_argument("--side", type=int, help="of the picture, in pixels; each row's own by default")
    flags.add_argument("--seconds", type=float, default=SECONDS, help="stop after so many")
    flags.add_argument("--tiny", action="store_true", help="a rehearsal on small networks: says nothing of speed")
    flags.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    return flags


def measured(real: RealNetwork, device: str, dtype: torch.dtype, left: float, *, tiny: bool) -> GpuRow | Leftover:
    """One row, in the seconds that are left, or why there is none."""
    if left < LEAST:
        return Leftover(real.name, "left out, no time")
    weights, room = size_in_bytes(real, dtype, tiny=tiny), free_bytes(device)
    if room is not None and weights * ROOM > room:
        return Leftover(real.name, f"left out, {weights / GIBIBYTE:.1f} GiB of weights, {room / GIBIBYTE:.1f} GiB free")
    try:
        return _row(real, device, dtype, min(ROW, left - LEAST / 2), tiny=tiny)
    except torch.OutOfMemoryError:
        return Leftover(real.name, "left out, its weights do not fit")
    finally:
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _row(real: RealNetwork, device: str, dtype: torch.dtype, seconds: float, *, tiny: bool) -> GpuRow:
    model = build(real, device, dtype, tiny=tiny)
    side = TINY_SIDE if tiny else real.side
    step = timed_step(real, model, side)
    layers = len(model.layers(step.latent))
    weights = sum(weight.nbytes for weight in model.network.parameters())
    precision = str(dtype).removeprefix("torch.")
    return GpuRow(real.name, side, precision, layers, round(weights / GIBIBYTE, 6), costs(step, seconds))


def free_bytes(device: str) -> int | None:
    """Of a GPU's memory; None of a CPU's, which nobody asks for much here."""
    return int(torch.cuda.mem_get_info()[0]) if device.startswith("cuda") else None


def device_name(device: str) -> str:
    """For people."""
    return torch.cuda.get_device_name() if device.startswith("cuda") else f"CPU, {torch.get_num_threads()} threads"


COLUMNS: tuple[tuple[str, Callable[[GpuRow], object]], ...] = (
    ("side", lambda row: row.side),
    ("layers", lambda row: row.layers),
    ("weights GiB", lambda row: f"{row.weights_gib:.2f}"),
    *(
        (f"{name} {unit}", lambda row, name=name, unit=unit: _cell(row.steps.get(name), unit))
        for name in ("plain", "guided", "checkpointed")
        for unit in ("ms", "GiB")
    ),
    ("guided/plain", lambda row: row.ratio or "-"),
)


def _cell(cost: StepCost | None, unit: str) -> str:
    if cost is None:
        return "-"
    return f"{cost.ms:.1f}" if unit == "ms" else f"{cost.peak_gib:.2f}"


def head() -> str:
    """The table's first line."""
    return f"{'a step':28}" + "".join(f"{name:>18}" for name, _ in COLUMNS)


def line(row: GpuRow) -> str:
    """A row of it."""
    return f"{row.name:28}" + "".join(f"{value(row)!s:>18}" for _, value in COLUMNS)


def _document(device: str, rows: Sequence[GpuRow], leftovers: Sequence[Leftover], took: float) -> dict[str, object]:
    return {
        "device": device_name(device),
        "torch": torch.__version__,
        "rows": [asdict(row) | {"ratio": row.ratio} for row in rows],
        "left_out": {item.name: item.reason for item in leftovers},
        "seconds": took,
    }


if __name__ == "__main__":
    sys.exit(main())
