# SPDX-License-Identifier: MIT
"""A server reached by a name: as well as by its number, and without the thread that asyncio would start for it."""

import asyncio
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from addon.client import resolve
from addon.client.api import find_connection
from addon.client.exceptions import ServerAbsent
from addon.client.resolve import numbered
from addon.protocol.answers import Connection
from addon.session.dispatcher import Dispatcher
from server.http.host import running
from server.settings import ServerSettings


def at(address: str) -> Connection:
    return Connection(address=address, token="t", version="unknown")


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://192.168.0.7", "http://192.168.0.7"),
        ("http://localhost:8000", "http://127.0.0.1:8000"),
        ("http://LOCALHOST", "http://127.0.0.1:80"),
        ("http://127.1:8000", "http://127.0.0.1:8000"),  # looked up: no number to Python, one to the system
    ],
)
def test_a_name_becomes_a_number(address: str, number: str) -> None:
    assert asyncio.run(numbered(at(address))) == at(number)


def test_a_name_that_nobody_knows_is_said_to_be_so() -> None:
    with pytest.raises(ServerAbsent, match=r"no-such-machine\.invalid"):
        asyncio.run(numbered(at("http://no-such-machine.invalid:8000")))


def test_who_waits_for_an_answer_waits_no_longer_than_this(monkeypatch) -> None:
    monkeypatch.setattr(resolve, "LOOK_UP", "import time; time.sleep(60)")
    monkeypatch.setattr(resolve, "ANSWER_SECONDS", 0.1)
    begun = time.monotonic()
    with pytest.raises(ServerAbsent):
        asyncio.run(numbered(at("http://slow.invalid:8000")))
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("name", ["localhost", "127.1"])
def test_a_server_is_reached_by_name_without_a_thread(name: str, own_home: Path, tmp_path: Path) -> None:
    """``127.1`` goes the way of every name but localhost, and leads here on any machine."""

    def dial() -> Connection:
        connection = find_connection()
        return replace(connection, address=connection.address.replace("127.0.0.1", name))

    async def story() -> set[str]:
        async with running(ServerSettings(home=own_home, engine="tests.addon.hosts.mask_painter:Painter")):
            dispatcher, before = Dispatcher(dial, tmp_path), set(threading.enumerate())
            watch = asyncio.create_task(dispatcher.watch())
            await asyncio.wait_for(dispatcher.until(lambda session: session.link.name == "online"), 20)
            started = {thread.name for thread in set(threading.enumerate()) - before}
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            return started

    assert not [name for name in asyncio.run(story()) if name.startswith("asyncio_")]  # as its executor calls them
