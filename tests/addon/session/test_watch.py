# SPDX-License-Identifier: MIT
"""The watch over the server: met, lost, met again, and another one dialled."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from addon.client.api import find_connection
from addon.client.exceptions import (
    AddonOlder,
    Garbled,
    OnlineAccessOff,
    PictureUnsaved,
    ServerAbsent,
    ServerOlder,
    WrongToken,
)
from addon.messages.fixes import FIXES
from addon.messages.notice import notice
from addon.protocol.answers import Connection
from addon.session import reducer
from addon.session.dispatcher import Dispatcher
from addon.session.watch import link_name
from server.catalogue import offered
from server.http.host import running
from server.settings import ServerSettings
from tests.addon.session.dispatching import dispatching, is_online, online, tunnel, until
from tests.addon.session.samples import VIEW, blockout


def test_another_server_is_dialled_as_soon_as_it_is_set(settings: ServerSettings, tmp_path: Path) -> None:
    """The first one's events number far more than the second's will."""
    elsewhere = replace(settings, home=tmp_path / "elsewhere")

    async def story() -> None:
        dialled: list[Connection] = []
        async with running(settings):
            dialled.append(find_connection())
            dispatcher = Dispatcher(lambda: dialled[-1], tmp_path / "pictures")
            watch = asyncio.create_task(dispatcher.watch())
            await until(dispatcher, is_online)
            await asyncio.wait_for(dispatcher.deliver(blockout(steps=50), VIEW), 30)
            async with running(elsewhere):
                dialled.append(find_connection(elsewhere.home / "connection.json"))
                dispatcher.nudge()
                await asyncio.wait_for(dispatcher.deliver(blockout(steps=3), VIEW), 30)
                assert [task.job.state for task in dispatcher.session.tasks] == ["done", "done"]
                assert len(dispatcher.session.receivable) == 2
                dialled.append(Connection(address="http://127.0.0.1:9", token="", version="unknown"))
                dispatcher.nudge()
                await until(dispatcher, lambda session: session.link.name != "online")
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    asyncio.run(story())


def test_a_look_for_the_server_while_it_is_there_loses_none_of_its_models(
    settings: ServerSettings, tmp_path: Path
) -> None:
    async def story() -> None:
        async with online(settings, tmp_path) as dispatcher:
            dispatcher.apply(reducer.server_starting)  # whatever a button made of the link
            dispatcher.nudge()
            session = await until(dispatcher, is_online)
            assert session.link.models == offered(())

    asyncio.run(story())


def test_another_machine_s_server_is_reached_through_a_tunnel(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with running(settings), tunnel() as address:
            token = find_connection().token
            for word, name in ((token, "online"), ("of an earlier start", "refused")):
                dispatcher = Dispatcher(
                    lambda word=word: Connection(address=address, token=word, version="unknown"), tmp_path
                )
                watch = asyncio.create_task(dispatcher.watch())
                session = await until(dispatcher, lambda session: session.link.name != "connecting")
                assert session.link.name == name
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
            assert "Address" in session.link.notice.fix and "connection file" not in session.link.notice.fix

    asyncio.run(story())


def test_a_server_that_comes_back_is_found_with_our_jobs(settings: ServerSettings, tmp_path: Path) -> None:
    async def story() -> None:
        async with dispatching(tmp_path) as dispatcher:
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, is_online)
                await dispatcher.submit(blockout(steps=100), VIEW)
            await until(dispatcher, lambda session: session.link.name != "online")
            assert dispatcher.session.waiting
            async with running(settings):
                dispatcher.nudge()
                await until(dispatcher, is_online)
                session = await until(dispatcher, lambda session: session.receivable)
                assert session.tasks[0].job.state == "done"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ServerAbsent("No server", "Start one."), "absent"),
        (WrongToken("Not known", "Start again."), "refused"),
        (OnlineAccessOff("Off", "Allow it."), "offline"),
        (Garbled("Nonsense", "Look."), "failed"),
        (PictureUnsaved("No room in pictures", "Make room."), "failed"),
        (ServerOlder("Old", "Update it."), "mismatch"),
        (AddonOlder("Old", "Update it."), "mismatch"),
    ],
)
def test_every_trouble_is_a_named_state_with_a_sentence(error: Exception, name: str) -> None:
    assert link_name(error) == name
    assert notice(error).message.endswith(".")
    assert notice(error).code in FIXES
