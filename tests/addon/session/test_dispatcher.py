# SPDX-License-Identifier: MIT
"""The dispatcher from a blockout to its picture, with a real server over a real socket."""

import asyncio
from dataclasses import replace
from pathlib import Path

from addon.messages.notice import Notice
from addon.protocol.blockout import SEED_MAX
from addon.session import reducer
from addon.session.seeds import Seeds
from server.catalogue import offered
from server.http.host import running
from server.settings import ServerSettings
from tests.addon.session.dispatching import dispatching, is_absent, is_online, online, until
from tests.addon.session.samples import VIEW, blockout


def test_a_picture_arrives(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with dispatching(tmp_path) as dispatcher:
            await until(dispatcher, is_absent)
            async with running(settings):
                dispatcher.nudge()
                session = await until(dispatcher, is_online)
                assert session.link.models == offered(())
                await asyncio.wait_for(dispatcher.deliver(blockout(), VIEW), 30)
            task = dispatcher.session.tasks[0]
            assert task.job.state == "done" and task.receivable
            assert task.picture.read_bytes().startswith(b"\x89PNG")
            assert list(tmp_path.glob("*.part")) == []

    asyncio.run(story())


def test_a_link_that_breaks_ends_no_delivery_and_a_server_that_ends_does(
    settings: ServerSettings, tmp_path: Path
) -> None:
    async def story() -> None:
        async with dispatching(tmp_path) as dispatcher:
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, is_online)
                sending = asyncio.create_task(dispatcher.deliver(blockout(steps=20), VIEW))
                await until(dispatcher, lambda session: session.active is not None and session.active.job.step > 0)
                dispatcher.apply(reducer.server_lost, "absent", Notice(message="The connection broke."))
                await asyncio.wait_for(sending, 30)
                assert dispatcher.session.tasks[0].receivable
                sending = asyncio.create_task(dispatcher.deliver(blockout(steps=1000), VIEW))
                await until(dispatcher, lambda session: session.active is not None and session.active.job.step > 0)
            await asyncio.wait_for(sending, 30)
            assert dispatcher.session.link.name == "absent" and dispatcher.session.unfetched

    asyncio.run(story())


def test_a_failure_is_delivered_with_its_reason(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with dispatching(tmp_path) as dispatcher, running(settings):
            dispatcher.nudge()
            await until(dispatcher, is_online)
            for _ in range(5):
                await asyncio.wait_for(dispatcher.deliver(replace(blockout(), prompt="a cursed castle"), VIEW), 30)
                assert dispatcher.session.tasks[-1].job.problem.type == "painting-failed"

    asyncio.run(story())


def test_previews_are_fetched_while_a_picture_is_painted(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        digests: list[str] = []
        async with dispatching(tmp_path) as dispatcher, running(replace(settings, preview_seconds=0.05)):
            await until(dispatcher, is_online)
            sending = asyncio.create_task(dispatcher.deliver(blockout(steps=40), VIEW))
            for _ in range(3):
                session = await until(dispatcher, lambda s: s.preview is not None and s.preview.sha256 not in digests)
                assert session.preview.png.startswith(b"\x89PNG") and not session.tasks[0].ended
                digests.append(session.preview.sha256)
            await asyncio.wait_for(sending, 30)
            assert dispatcher.session.preview is not None  # until the scene has the picture
            dispatcher.apply(reducer.picture_received, dispatcher.session.tasks[0].job.id)
            assert dispatcher.session.preview is None

    asyncio.run(story())


def test_several_at_once_have_seeds_one_after_the_other(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            await asyncio.wait_for(
                dispatcher.deliver(replace(blockout(), seed=SEED_MAX), VIEW, seeds=Seeds(count=3)), 30
            )
            assert [task.job.seed for task in dispatcher.session.tasks] == [SEED_MAX, 0, 1]
            assert len(dispatcher.session.receivable) == 3 and dispatcher.session.submissions == 0
            for _ in range(2):  # the same again, while it is waited for: another picture is meant
                await dispatcher.submit(blockout(steps=1000), VIEW)
            assert [task.job.seed for task in dispatcher.session.waiting] == [1, 2]

    asyncio.run(story())
