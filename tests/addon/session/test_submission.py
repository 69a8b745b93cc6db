# SPDX-License-Identifier: MIT
"""Blockouts on their way to the server: sent once, in turn, withdrawn, refused."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from addon.client.api import Client, find_connection
from addon.protocol.answers import Connection
from addon.protocol.strict_json import dump
from addon.session import reducer
from addon.session.dispatcher import Dispatcher
from addon.session.seeds import Seeds
from server.http.host import running
from server.settings import ServerSettings
from tests.addon.session.dispatching import dispatching, is_absent, is_online, online, tunnel, until
from tests.addon.session.samples import VIEW, blockout


def test_an_answer_that_is_lost_on_the_way_makes_no_second_job(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        dialled: list[Connection] = []
        async with running(settings), dispatching(tmp_path, lambda: [find_connection(), *dialled][-1]) as dispatcher:
            await until(dispatcher, is_online)
            lost: list[bytes] = []
            async with tunnel(lost) as address:
                dialled.append(replace(find_connection(), address=address))
                await dispatcher.submit(blockout(), VIEW)
            assert lost == [b"HTTP/1.1 201 Created\r\n"]
            assert len(dispatcher.session.tasks) == len(await Client(find_connection()).jobs()) == 1

    asyncio.run(story())


def test_what_has_not_reached_the_server_can_be_withdrawn(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with dispatching(tmp_path) as dispatcher:
            await until(dispatcher, is_absent)
            dispatcher.apply(reducer.server_starting)
            waiting = asyncio.create_task(dispatcher.submit(blockout(), VIEW))
            await asyncio.sleep(0.05)
            assert dispatcher.session.submissions == 1
            dispatcher.withdraw()
            await asyncio.gather(waiting, return_exceptions=True)
            assert waiting.cancelled() and dispatcher.session.submissions == 0
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, is_online)
                assert await Client(find_connection()).jobs() == []

    asyncio.run(story())


def test_two_presses_while_the_server_starts_ask_for_two_pictures(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with dispatching(tmp_path) as dispatcher:
            dispatcher.apply(reducer.server_starting)
            presses = [asyncio.create_task(dispatcher.submit(blockout(), VIEW, seeds=Seeds(count=2))) for _ in range(2)]
            async with running(settings):
                dispatcher.nudge()
                await asyncio.gather(*presses)
                assert sorted(job.seed for job in await Client(find_connection()).jobs()) == [1, 2, 3, 4]

    asyncio.run(story())


def test_what_is_withdrawn_while_it_is_sent_is_cancelled(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            press = asyncio.create_task(dispatcher.submit(blockout(steps=500), VIEW, seeds=Seeds(count=5)))
            await until(dispatcher, lambda session: session.tasks)
            dispatcher.withdraw()
            await press
            await until(dispatcher, lambda session: not session.waiting)
            assert [task.job.state for task in dispatcher.session.tasks] == ["cancelled"]
            assert len(await Client(find_connection()).jobs()) == 1

    asyncio.run(story())


def test_what_is_asked_for_while_the_server_starts_waits_for_it(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with dispatching(tmp_path) as dispatcher:
            await until(dispatcher, is_absent)
            dispatcher.apply(reducer.server_starting)
            sending = asyncio.create_task(dispatcher.submit(blockout(), VIEW))
            await asyncio.sleep(0.1)
            assert (dispatcher.session.submissions, dispatcher.session.notice) == (1, None)
            async with running(settings):
                dispatcher.nudge()
                await asyncio.wait_for(sending, 20)
                assert dispatcher.session.tasks and dispatcher.session.notice is None

    asyncio.run(story())


def test_a_refused_blockout_becomes_a_sentence(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            await dispatcher.submit(replace(blockout(), model="no-such-model"), VIEW)
            assert "no-such-model" in dispatcher.session.notice.message
            assert (dispatcher.session.submissions, dispatcher.session.tasks) == (0, ())

    asyncio.run(story())


def test_without_a_server_a_press_has_an_answer(tmp_path: Path) -> None:
    async def story() -> None:
        dispatcher = Dispatcher(find_connection, tmp_path)
        await dispatcher.submit(blockout(), VIEW)
        assert dispatcher.session.notice.fix
        assert dispatcher.session.submissions == 0

    asyncio.run(story())


def test_a_second_press_asks_for_a_picture_that_is_not_there_yet(settings: ServerSettings, tmp_path: Path) -> None:
    """What waits counts, what came and is not received, and what the scene's history has: here seeds 2 and 4."""
    history = {json.dumps(dump(replace(blockout(), seed=seed))): f"picture {seed}" for seed in (2, 4)}
    seeds = Seeds(painted=lambda request: history.get(request, ""))

    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            following = [await dispatcher.deliver(blockout(), VIEW, seeds=seeds) for _ in range(3)]
            assert [task.job.seed for task in dispatcher.session.tasks] == [1, 3, 5]
            assert following == [3, 5, 6]
            moved = replace(blockout(), prompt="a castle at sunset")
            assert await dispatcher.submit(moved, VIEW, seeds=seeds) == 2, "another request: its seed has no picture"

    asyncio.run(story())


def test_a_fixed_seed_offers_the_picture_that_is_there(settings: ServerSettings, tmp_path: Path) -> None:
    request = json.dumps(dump(blockout()))
    seeds = Seeds(fixed=True, painted=lambda asked: "its name" if asked == request else "")

    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            assert await dispatcher.submit(blockout(), VIEW, seeds=seeds) is None
            notice = dispatcher.session.notice
            assert (notice.code, notice.subject) == ("already-painted", "its name")
            assert dispatcher.session.tasks == () and await Client(find_connection()).jobs() == []
            assert await dispatcher.submit(replace(blockout(), seed=7), VIEW, seeds=seeds) == 8

    asyncio.run(story())


def test_a_waiting_picture_is_replaced_and_another_moved_to_the_front(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            await dispatcher.submit(blockout(steps=500), VIEW, seeds=Seeds(count=3))
            await until(dispatcher, lambda session: session.tasks[0].job.state == "running")
            first, second, third = (task.job.id for task in dispatcher.session.tasks)
            await dispatcher.submit(replace(blockout(), seed=9), VIEW, seeds=Seeds(replaced=second))
            await until(dispatcher, lambda session: session.tasks[1].job.state == "cancelled")
            other = dispatcher.session.tasks[-1].job.id
            assert [task.job.id for task in dispatcher.session.queued] == [other, third]
            await dispatcher.move_to_front(third)
            assert [task.job.id for task in dispatcher.session.queued] == [third, other]
            await dispatcher.move_to_front(first)
            assert dispatcher.session.notice.code == "not-waiting"
            await dispatcher.submit(blockout(), VIEW, seeds=Seeds(replaced=first))
            assert dispatcher.session.notice.code == "not-waiting" and len(dispatcher.session.tasks) == 4

    asyncio.run(story())
