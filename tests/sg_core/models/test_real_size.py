# SPDX-License-Identifier: MIT
"""Checkpoints at their real size, of random numbers, through the real loader: they paint, guided, at 512 pixels."""

import re
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from server.catalogue import described
from sg_core import generate, load, place
from tests.sg_core.models.real_folders import random_checkpoint

PROMPT = "a huge castle and a red rocket"
NEEDED = {"stable-diffusion-1": 8, "stable-diffusion-xl": 14}  # GiB that must be free
PRECISION = {"stable-diffusion-1": torch.float32, "stable-diffusion-xl": torch.bfloat16}


def free_gib() -> float:
    try:
        match = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    except OSError:
        return 0.0
    return int(match[1]) / 2**20 if match else 0.0


def highest_gib() -> float:
    """The most memory that this process had at once, since it was last asked to forget."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(match[1]) / 2**20 if match else 0.0


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("family", PRECISION)
def test_a_checkpoint_of_the_real_size_paints_guided(family: str, tmp_path: Path) -> None:
    if free_gib() < NEEDED[family]:
        pytest.skip(f"needs {NEEDED[family]} GiB of free memory, and there is {free_gib():.1f}")
    file = random_checkpoint(tmp_path / "real.safetensors", family)
    Path("/proc/self/clear_refs").write_text("5")  # the most so far is now
    assert described(file).family == family
    begun = time.monotonic()
    model = load(file, dtype=PRECISION[family])
    loaded = time.monotonic()
    file.unlink()
    mask = torch.zeros(16, 16)
    mask[:, :8] = 1.0
    readings: list[tuple[float, dict[str, float]]] = []
    picture = generate(
        model,
        PROMPT,
        place({"castle": mask, "red rocket": 1.0 - mask}),
        width=512,
        height=512,
        steps=3,
        scale=5.0,
        strength=0.7,
        seeds=[1],
        watch=lambda moment: readings.append((time.monotonic(), dict(moment.energies))),
    )
    steps = [later - earlier for (earlier, _), (later, _) in pairwise(readings)]
    ended = time.monotonic() - readings[-1][0]
    sys.stdout.write(
        f"\n{family} in {PRECISION[family]}: loaded in {loaded - begun:.0f} s, a guided step {steps[0]:.1f} s, "
        f"a plain one {steps[-1]:.1f} s, decoded in {ended:.1f} s, {highest_gib():.1f} GiB at most\n"
    )
    assert picture.shape == (1, 3, 512, 512) and picture.isfinite().all() and picture.std() > 0
    assert readings[0][1] and readings[1][1] and not readings[2][1], "the last step runs free"
