# SPDX-License-Identifier: MIT
"""What a model held is given back: fifty switches leave the worker's memory as it was, and what nobody asks for long is
loaded again for the next picture."""

import asyncio
import gc
import os
import runpy
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel

from addon.client.api import Client
from addon.protocol.answers import ModelInfo
from server.catalogue import described
from server.settings import ServerSettings
from server.worker.engine import DiffusionEngine
from sg_core.models.folder import quiet
from tests.server.processes import resident_mib, workers_of
from tests.server.serving import ROOT, at_home, blockout, fake, painted, until
from tests.server.worker.sample_request import ASKED, unwatched
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


async def unloaded(client: Client) -> bool:
    return (await client.health()).model == ""


def test_it_is_unloaded_after_a_while_and_loaded_again(tmp_path: Path) -> None:
    async def story() -> tuple[str, list[str]]:
        async with at_home(fake(tmp_path, idle_unload=0.5)) as client:
            await painted(client, blockout())
            loaded = (await client.health()).model
            await until(lambda: unloaded(client))
            job = await client.submit(blockout(seed=8), "again")
            return loaded, [event.phase async for event in client.events(job=job.id)]

    loaded, phases = asyncio.run(story())
    assert loaded == "toybox" and "loading the model" in phases


@pytest.mark.parametrize("last", [{"prompt": "a huge cat"}, {"prompt": "raise a cat"}, {"model": "absent"}])
def test_it_is_unloaded_after_a_job_that_failed_too(last: dict[str, str], tmp_path: Path) -> None:
    """And until then it counts as what is in memory, unless another was to be loaded in its place."""
    (toybox,) = ServerSettings().models
    settings = fake(tmp_path, idle_unload=0.5, models=(toybox, replace(toybox, name="absent")))

    async def story() -> tuple[str, str]:
        async with at_home(settings) as client:
            await painted(client, blockout())
            job = await painted(client, blockout(**last))
            loaded = (await client.health()).model
            await until(lambda: unloaded(client))
            return job.state, loaded

    assert asyncio.run(story()) == ("failed", "toybox")


def test_it_stays_where_it_is_asked_to(tmp_path: Path) -> None:
    async def story() -> str:
        async with at_home(fake(tmp_path, idle_unload=0.0)) as client:
            await painted(client, blockout())
            await asyncio.sleep(1.0)
            return (await client.health()).model

    assert asyncio.run(story()) == "toybox"


def test_nothing_of_it_is_left(tiny: ModelInfo) -> None:
    """And it paints the same picture once it is loaded again."""
    engine = DiffusionEngine()
    engine.load(tiny)
    before = engine.paint(ASKED, unwatched)
    assert engine._ready is not None
    network = weakref.ref(engine._ready.fitting.model.network)
    engine.unload()
    gc.collect()
    assert network() is None
    engine.load(tiny)
    assert engine.paint(ASKED, unwatched) == before
