# SPDX-License-Identifier: MIT
"""How much quicker two actors of a Ray cluster are than one, on work that only waits."""

import asyncio
import time
from importlib.util import find_spec
from pathlib import Path

from addon.protocol.blockout import Blockout, Frame
from server.batch.cluster.ray_cluster import LOCAL, RayCluster, ray_cluster
from server.settings import ServerSettings

ENGINE = "benchmarks.batch.quick_engine:WaitingEngine"
ROWS = 24
ACTORS = 2


def ray_speedup(home: Path) -> float | None:
    """Seconds of one over seconds of two, starting the cluster left out; None where Ray is not installed."""
    return None if find_spec("ray") is None else asyncio.run(_speedup(home))


async def _speedup(home: Path) -> float:
    settings = ServerSettings(home=home, engine=ENGINE)
    async with ray_cluster(LOCAL, settings, ACTORS) as cluster:
        while cluster.alive < ACTORS:
            await asyncio.sleep(0.1)
        await _seconds(cluster)  # each actor's first row imports what it needs
        two = await _seconds(cluster)
        kept = await cluster.free.get()
        one = await _seconds(cluster)
        cluster.free.put_nowait(kept)
    return round(one / two, 2)


async def _seconds(cluster: RayCluster) -> float:
    """How long all rows take."""
    begun = time.monotonic()
    await asyncio.gather(*(cluster.picture_of(_request(seed), str(seed), lambda step: None) for seed in range(ROWS)))
    return time.monotonic() - begun


def _request(seed: int) -> Blockout:
    frame = Frame(left=0, top=0, width=64, height=64)
    return Blockout(
        prompt="a cat",
        regions=(),
        width=64,
        height=64,
        frame=frame,
        seed=seed,
        model="toybox",
        steps=1,
        strength=0.5,
        scale=1.0,
    )
