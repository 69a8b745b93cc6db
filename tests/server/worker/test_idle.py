# SPDX-License-Identifier: MIT
"""A worker that nobody asks for long gives the model's memory back, and loads it again for the next picture."""

import asyncio
import gc
import weakref
from pathlib import Path

from addon.protocol.answers import ModelInfo
from server.worker.engine import DiffusionEngine
from tests.server.serving import at_home, blockout, fake, painted, until
from tests.server.worker.sample_request import ASKED, unwatched


def test_it_is_unloaded_after_a_while_and_loaded_again(tmp_path: Path) -> None:
    async def story() -> tuple[str, list[str]]:
        async with at_home(fake(tmp_path, idle_unload=0.5)) as client:
            await painted(client, blockout())
            loaded = (await client.health()).model

            async def unloaded() -> bool:
                return (await client.health()).model == ""

            await until(unloaded)
            job = await client.submit(blockout(seed=8), "again")
            return loaded, [event.phase async for event in client.events(job=job.id)]

    loaded, phases = asyncio.run(story())
    assert loaded == "toybox" and "loading the model" in phases


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
