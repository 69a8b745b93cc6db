# SPDX-License-Identifier: MIT
"""A server that goes, and comes back elsewhere, in the middle of a job; and one that is full."""

import asyncio
from contextlib import closing
from dataclasses import replace
from functools import partial
from hashlib import sha256

import pytest
from PIL import Image

from addon.client.api import connect, find_connection
from addon.protocol.answers import STARTING, Health, WorkerState
from addon.protocol.blockout import ReferencePicture
from server.cli import following
from server.cli.following import NotPainted, ServerLink, ServerLost, painted
from server.queue.store import Store
from server.worker.png_files import png
from tests.server.serving import blockout, serving, until

SLOW = {"prompt": "a cat, ms=100", "steps": 20}


async def link_to(served, **changes):
    file = served.home / "connection.json"
    return ServerLink(await connect(served.connection), partial(find_connection, file), **changes)


async def has_begun(link):
    async def begun():
        return any(job.step > 2 for job in await link.client.jobs())

    await until(begun, 30.0)


def test_a_restart_on_another_port_with_another_token(tmp_path):
    """The new server goes on with the job of the old one, and it is that very job which is followed."""
    home = tmp_path / "home"
    reasons = []

    async def follow(served, again):
        link = await link_to(served, waiting=reasons.append)
        following = asyncio.ensure_future(painted(link, blockout(**SLOW), "a key"))
        await has_begun(link)
        served.kill(with_worker=True)
        with again() as second:
            assert second.connection.address != served.connection.address
            assert second.connection.token != served.connection.token
            picture = await following
            jobs = await link.client.jobs()
            assert link.client.connection == second.connection
        return picture, jobs

    with serving(home) as served:
        picture, jobs = asyncio.run(follow(served, partial(serving, home)))
    assert [job.id for job in jobs] == [picture.job]
    assert picture.png.startswith(b"\x89PNG")
    assert reasons[-1] == "" and any("No server" in reason for reason in reasons)


def test_models_are_listed_once_a_worker_can_say_how_it_computes(tmp_path):
    """Else the keys of a batch would depend on how soon after its server it began."""

    async def listed(served):
        link = await link_to(served)
        return await link.models(), await link.client.health(), await link.client.models()

    with serving(tmp_path / "home") as served:
        models, health, later = asyncio.run(listed(served))
    assert models == later and health.device != STARTING


def test_of_several_workers_one_is_waited_for_and_none_that_cannot_work():
    starting, ready = (WorkerState(device=device, model="") for device in (STARTING, "cpu"))
    health = Health(version="1", contract=2, device=STARTING, model="", queued=0, running=0)
    both = replace(health, device=f"2 × {STARTING}", workers=(starting, starting))
    assert following._is_starting(health) and following._is_starting(both)
    assert not following._is_starting(replace(both, workers=(starting, ready)))
    assert not following._is_starting(replace(health, trouble="There is no such engine."))


def test_a_server_that_starts_again_says_nothing_of_the_worker_before(tmp_path):
    async def listed(served):
        link = await link_to(served)
        return (await link.client.health()).device, await link.models(), await link.client.models()

    def worked():
        with closing(Store(tmp_path / "home" / "jobs.sqlite")) as store:
            return {name for name, value in store.facts().items() if value}

    with serving(tmp_path / "home") as served:
        asyncio.run(listed(served))
        served.kill(with_worker=True)
    assert {"device", "precisions"} <= worked()
    with serving(tmp_path / "home", settings={"engine": "json:nothing"}) as served:
        assert asyncio.run(listed(served))[0] == STARTING
        assert not {"device", "precisions"} & worked()


def test_a_server_whose_worker_cannot_work_is_not_waited_for_for_ever(tmp_path):
    reasons = []

    async def follow(served):
        link = await link_to(served, waiting=reasons.append, patience=1.0)
        return await painted(link, blockout(), "a key")

    with serving(tmp_path / "home", settings={"engine": "json:nothing"}) as served:
        with pytest.raises(ServerLost, match=r"json:nothing cannot be loaded .*, for 1 seconds"):
            asyncio.run(follow(served))
        (job,) = served.json("GET", "/v1/jobs")[1]
        assert job["state"] == "queued", "it is taken up by the same command, once a worker works"
    assert any("cannot be loaded" in reason for reason in reasons)


def test_no_worker_of_several_waits_for_a_picture(tmp_path):
    async def ahead(served):
        link = await link_to(served)
        await link.models()
        return link.ahead

    for devices, pictures in ((("cpu",), 3), (("cpu",) * 3, 5)):
        with serving(tmp_path / str(pictures), settings={"devices": devices}) as served:
            assert asyncio.run(ahead(served)) == pictures


def test_a_restart_between_a_reference_and_its_job(tmp_path):
    """What no job refers to is swept when a server starts: it is sent again."""
    home, picture = tmp_path / "home", png(Image.new("RGB", (8, 8), (90, 90, 90)))
    request = blockout(reference=ReferencePicture(picture=sha256(picture).hexdigest(), caption="a cat"))

    async def follow(served, again):
        link = await link_to(served)
        await link.client.refer(picture)
        served.kill(with_worker=True)
        with again():
            return await painted(link, request, "a key", references=(picture,))

    with serving(home) as served:
        assert asyncio.run(follow(served, partial(serving, home))).png.startswith(b"\x89PNG")


def test_a_server_that_stays_away(tmp_path):
    async def follow(served):
        link = await link_to(served, patience=1.0)
        served.kill(with_worker=True)
        await painted(link, blockout(), "a key")

    with serving(tmp_path / "home") as served, pytest.raises(ServerLost, match="for 1 seconds"):
        asyncio.run(follow(served))


def test_a_full_queue_is_waited_for(tmp_path):
    """Two may wait and ten want to; a second's wait is what the server asks for."""
    reasons = []

    async def follow(served):
        link = await link_to(served, waiting=reasons.append)
        every = (painted(link, blockout(seed=seed), f"key {seed}") for seed in range(4))
        return await asyncio.gather(*every)

    with serving(tmp_path / "home", settings={"max_queued": 1}) as served:
        assert len(asyncio.run(follow(served))) == 4
    assert any("waiting" in reason for reason in reasons)


def test_a_job_that_ended_badly_is_not_asked_for_again(served):
    """Somebody cancelled it, in an earlier run; this one paints it."""

    async def follow():
        link = await link_to(served)
        job = await link.client.submit(blockout(**SLOW), "cancelled")
        await link.client.cancel(job.id)

        async def over():
            return (await link.client.job(job.id)).state == "cancelled"

        await until(over)
        picture = await painted(link, blockout(**SLOW | {"prompt": "a cat, ms=100"}), "cancelled")
        again = await painted(link, blockout(**SLOW), "cancelled")
        assert picture.job != job.id
        assert again.job == picture.job
        with pytest.raises(NotPainted, match="as asked"):
            await painted(link, blockout(prompt="a cat to raise"), "raises")

    asyncio.run(follow())


def test_whoever_is_interrupted_cancels(served):
    async def follow():
        link = await link_to(served)
        following = asyncio.ensure_future(painted(link, blockout(**SLOW), "interrupted"))
        await has_begun(link)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following

        async def over():
            return (await link.client.jobs())[0].state == "cancelled"

        await until(over)

    asyncio.run(follow())
