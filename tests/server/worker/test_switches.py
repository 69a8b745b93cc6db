# SPDX-License-Identifier: MIT
"""Fifty switches of model leave the worker's memory as it was: what one model held is given back for the next."""

import asyncio
import os
import runpy
import sys
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel

from addon.protocol.answers import ModelInfo
from server.catalogue import described
from server.settings import ServerSettings
from sg_core.models.folder import quiet
from tests.server.processes import resident_mib, workers_of
from tests.server.serving import ROOT, at_home, blockout, painted
from tests.sg_core.models.families import pipelines

WARM, SWITCHES = 12, 50
WEIGHTS = 16 * 2**20  # bytes of each at least: leaked, a few of them would show
ALLOWED = 64.0  # MiB that all the switches may add


def larger_unet(folder: Path) -> None:
    """A network of many numbers, in the place of the tiny one."""
    torch.manual_seed(1)
    blocks = {"block_out_channels": (64, 128), "layers_per_block": 2, "norm_num_groups": 4}
    attending = {"down_block_types": ("CrossAttnDownBlock2D",) * 2, "up_block_types": ("CrossAttnUpBlock2D",) * 2}
    with quiet():
        UNet2DConditionModel(
            sample_size=8, cross_attention_dim=16, attention_head_dim=2, **blocks, **attending
        ).save_pretrained(folder / "unet")
    assert sum(file.stat().st_size for file in (folder / "unet").iterdir()) > WEIGHTS


@pytest.fixture
def models(tmp_path: Path) -> tuple[ModelInfo, ...]:
    """Two of one family, and one of another."""
    build = runpy.run_path(str(ROOT / "tests" / "sg_core" / "conftest.py"))["build_folder"]
    folders = [build(tmp_path / name, "epsilon") for name in ("first", "second")]
    for folder in folders:
        larger_unet(folder)
    with quiet():
        pipelines.flux_1(False).save_pretrained(tmp_path / "flow")
    return tuple(described(folder) for folder in (*folders, tmp_path / "flow"))


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_fifty_switches_leave_memory_flat(models: tuple[ModelInfo, ...], tmp_path: Path) -> None:
    async def story() -> list[float]:
        settings = ServerSettings(home=tmp_path / "home", models=models)
        sizes: list[float] = []
        async with at_home(settings) as client:
            for index in range(WARM + SWITCHES):
                model = models[index % len(models)]
                job = await painted(client, blockout(model=model.name, steps=2, scale=model.scale, width=64, height=64))
                assert job.state == "done", job.problem
                (worker,) = workers_of(os.getpid())
                sizes.append(resident_mib(worker))
        return sizes

    sizes = asyncio.run(story())
    assert max(sizes[WARM:]) - max(sizes[:WARM]) < ALLOWED, [round(size) for size in sizes]
