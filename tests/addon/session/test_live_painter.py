# SPDX-License-Identifier: MIT
"""Live's pictures with a real server: the newest alone is painted to its end; what is stale costs no further step."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from addon.client.api import Client, find_connection
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import loads
from addon.request.anchors import Anchor, anchored, layout_of
from addon.request.settings import DEFAULTS
from addon.session import live_state
from addon.session.live_painter import LivePainter, keep
from addon.session.live_state import LiveRequest
from server.http.host import running
from server.settings import ServerSettings
from tests.addon.session.dispatching import dispatching, is_online, until
from tests.addon.session.samples import VIEW, blockout

LONG = 200  # steps of 0.02 s


async def connect() -> Client:
    return Client(find_connection())


@asynccontextmanager
async def painting(settings: ServerSettings) -> AsyncIterator[LivePainter]:
    """Live for a scene, and a server."""
    async with running(settings):
        painter = LivePainter(connect)
        painter.apply(live_state.started, 1, 0.0)
        yield painter


def ask(painter: LivePainter, request: Blockout, reference: bytes = b"") -> asyncio.Task[None]:
    """Have it painted, as the timer does."""
    follows = request.reference.picture if request.reference else ""
    painter.apply(live_state.capture_begun)
    painter.apply(live_state.captured, layout_of(request), follows)
    live = LiveRequest(blockout=request, layout=request, view=VIEW, settings=DEFAULTS, reference=reference)
    return asyncio.create_task(painter.paint(live, painter.state.number))


async def seen(satisfied, seconds: float = 20.0) -> None:
    """Wait for something to be so on the server."""
    async with asyncio.timeout(seconds):
        while not await satisfied():
            await asyncio.sleep(0.01)


async def steps(number: int, least: int) -> bool:
    jobs = (await (await connect()).jobs())[::-1]
    return len(jobs) > number and jobs[number].step >= least


def test_a_picture_comes_and_is_no_file(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with painting(settings) as painter:
            await asyncio.wait_for(ask(painter, blockout()), 30)
            picture = painter.state.picture
            assert picture is not None and picture.png.startswith(b"\x89PNG")
            assert picture.job.achieved[0].name == "castle"
            assert not painter.state.painting and not painter.busy and not painter.exchanging

    asyncio.run(story())


def test_what_is_painted_is_cancelled_within_the_step_and_what_waits_is_replaced(settings: ServerSettings) -> None:
    async def story() -> None:
        async with painting(settings) as painter:
            first = ask(painter, blockout(LONG))
            await seen(lambda: steps(0, 2))
            before = (await (await connect()).jobs())[0].step
            second = ask(painter, replace(blockout(LONG), seed=2))
            third = ask(painter, replace(blockout(LONG), seed=3))
            await seen(lambda: steps(1, 1))
            last = ask(painter, replace(blockout(), seed=4))
            await asyncio.wait_for(asyncio.gather(first, second, third, last), 30)
            jobs = (await (await connect()).jobs())[::-1]
            assert {job.seed: job.state for job in jobs} == {1: "cancelled", 3: "cancelled", 4: "done"}
            assert jobs[0].step <= before + 3, "the step under way, and those until the server heard of it"
            assert painter.state.picture is not None and painter.state.picture.job.seed == 4

    asyncio.run(story())


def test_a_waiting_one_gives_its_place_to_the_next(settings: ServerSettings) -> None:
    async def story() -> None:
        async with painting(settings) as painter:
            client = await connect()
            other = await client.submit(blockout(LONG), "another's")
            await seen(lambda: steps(0, 1))
            first = ask(painter, replace(blockout(), seed=2))
            await seen(lambda: steps(1, 0))
            second = ask(painter, replace(blockout(), seed=3))
            await seen(lambda: steps(2, 0))
            await client.cancel(other.id)
            await asyncio.wait_for(asyncio.gather(first, second), 30)
            states = {job.seed: job.state for job in await client.jobs()}
            assert states == {1: "cancelled", 2: "cancelled", 3: "done"}

    asyncio.run(story())


def test_stopping_cancels_what_is_painted_and_what_is_being_sent(settings: ServerSettings) -> None:
    async def story() -> None:
        async with painting(settings) as painter:
            first = ask(painter, blockout(LONG))
            await seen(lambda: steps(0, 1))
            painter.apply(live_state.stopped)
            await painter.cancel()
            await asyncio.wait_for(first, 30)
            painter.apply(live_state.started, 1, 0.0)
            second = ask(painter, blockout(LONG))
            async with asyncio.timeout(20):
                while not painter.exchanging:
                    await asyncio.sleep(0)
            painter.apply(live_state.stopped)
            await painter.cancel()
            await asyncio.wait_for(second, 30)
            jobs = await (await connect()).jobs()
            assert [job.state for job in jobs] == ["cancelled", "cancelled"]
            assert painter.state.picture is None

    asyncio.run(story())


def test_a_picture_that_is_followed_is_sent_once_and_again_where_it_is_gone(settings: ServerSettings) -> None:
    async def story() -> None:
        async with painting(settings) as painter:
            await asyncio.wait_for(ask(painter, blockout()), 30)
            fresh = painter.state.fresh
            assert fresh is not None
            anchor = Anchor(picture=fresh.sha256, request=blockout(), achieved=fresh.job.achieved, pose=())
            for scale in (2.0, 3.0):
                request = replace(anchored(blockout(), anchor, False), scale=scale)
                await asyncio.wait_for(ask(painter, request, fresh.png), 30)
                assert painter.state.trouble is None
                assert painter.state.picture is not None and painter.state.picture.request.blockout.scale == scale
                files = list(settings.home.rglob(f"{fresh.sha256}*"))
                assert files
                for file in files:
                    file.unlink()  # as when the last job that followed it was forgotten
            assert painter.state.fresh is fresh

    asyncio.run(story())


def test_what_is_kept_can_be_painted_again_though_what_it_follows_was_never_kept(
    settings: ServerSettings, tmp_path: Path
) -> None:
    async def story() -> None:
        folder = tmp_path / "pictures"
        async with painting(settings) as painter, dispatching(folder) as dispatcher:
            await asyncio.wait_for(ask(painter, blockout()), 30)
            fresh = painter.state.fresh
            assert fresh is not None
            anchor = Anchor(picture=fresh.sha256, request=blockout(), achieved=fresh.job.achieved, pose=())
            moved = replace(blockout(), regions=(replace(blockout().regions[0], depth=1),))
            await asyncio.wait_for(ask(painter, anchored(moved, anchor, False), fresh.png), 30)
            picture = painter.state.picture
            assert picture is not None and picture.sha256 != fresh.sha256
            task = keep(picture, folder)
            assert task.picture is not None and task.picture.read_bytes() == picture.png
            assert (folder / f"{fresh.sha256}.png").read_bytes() == fresh.png
            await until(dispatcher, is_online)
            varied = replace(loads(Blockout, task.request), variation=0.3, variation_seed=2)
            await dispatcher.submit(varied, VIEW)
            session = await until(dispatcher, lambda session: session.notice or session.receivable)
            assert session.notice is None

    asyncio.run(story())


@pytest.mark.parametrize("prompt", ["a cursed castle", "an enormous castle"])
def test_a_failed_picture_is_trouble_in_the_servers_words(settings: ServerSettings, prompt: str) -> None:
    async def story() -> None:
        async with painting(settings) as painter:
            await asyncio.wait_for(ask(painter, replace(blockout(), prompt=prompt, width=512, height=512)), 30)
            assert painter.state.trouble is not None and painter.state.trouble.message
            assert not painter.state.painting

    asyncio.run(story())


def test_without_a_server_it_is_trouble_and_no_exception(own_home: Path) -> None:
    async def story() -> None:
        painter = LivePainter(connect)
        painter.apply(live_state.started, 1, 0.0)
        await ask(painter, blockout())
        assert painter.state.trouble is not None and painter.state.trouble.code == "server-absent"

    asyncio.run(story())
