# SPDX-License-Identifier: MIT
"""Whatever listens at the address: it is named as no server of ours, in a sentence, and soon."""

import asyncio
import time

import pytest

from addon.client import api, http
from addon.client.api import Client, connect, find_connection
from addon.client.exceptions import ClientError, Garbled, ServerAbsent
from addon.messages import fixes
from addon.messages.fixes import START_SERVER
from addon.messages.notice import notice
from addon.protocol import home_lock
from addon.protocol.answers import VERSION, Connection
from addon.protocol.strict_json import dump
from addon.session.dispatcher import Dispatcher
from addon.session.state import Session
from tests.server.serving import encoded
from tests.server.strangers import STRANGERS, stranger
from tests.server.strangers import http as answer

SAID = {
    "closes at once": "No server answers at",
    "cut off": "No server answers at",
    "an older Maquette": f"it speaks contract {VERSION - 1}",
    "a newer Maquette": f"not {VERSION + 1}",
    "a Maquette that says more": "does not know mood of Health",
    "a Maquette with another form of health": "Health is not as agreed",
    "a Maquette with another token": "does not know our token",
}


def connection(port: int) -> Connection:
    """A stranger's, as a file of before says it."""
    return Connection(address=f"http://127.0.0.1:{port}", token="of-the-dead", version="0.1.0")


@pytest.mark.parametrize("kind", STRANGERS)
def test_a_stranger_is_named_in_a_sentence(kind):
    began = time.monotonic()
    with stranger(STRANGERS[kind]) as (port, _), pytest.raises(ClientError) as caught:
        asyncio.run(connect(connection(port)))
    assert SAID.get(kind, "") in str(caught.value)
    assert caught.value.fix and caught.value.code
    assert time.monotonic() - began < 5.0


def test_a_silent_stranger_is_given_up(monkeypatch):
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.2)
    with stranger(None) as (port, _), pytest.raises(ServerAbsent, match="No server answers at"):
        asyncio.run(connect(connection(port)))


def test_a_sum_of_a_large_file_is_waited_for_longer_than_other_answers(monkeypatch):
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(api, "READING_SECONDS", 1.0)
    began = time.monotonic()
    with stranger(None) as (port, _), pytest.raises(ServerAbsent):
        asyncio.run(Client(connection(port)).adapter("lora", "ink"))
    assert time.monotonic() - began >= 1.0


async def _listen(port: int) -> None:
    async for _ in Client(connection(port)).events():
        pass


@pytest.mark.parametrize(
    "body",
    [
        answer(b"no", "404 Not Found"),
        b"HTTP/1.1 500 No\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 2_000_000,
        answer(b"id: 1\ndata: \xff\xfe\n\n"),
        answer(b"id: 1\ndata: " + b"[" * 100_000 + b"\n\n"),
    ],
    ids=["no such page", "a refusal without end", "no letters", "brackets without end"],
)
def test_a_stranger_s_events_are_named_too(body):
    with stranger(body) as (port, _), pytest.raises(Garbled):
        asyncio.run(_listen(port))


def left_behind(home, port):
    """What a server leaves that is killed: its connection, and a lock that the system has let go."""
    home.mkdir()
    path = home / "connection.json"
    path.write_bytes(encoded(dump(connection(port))))
    path.chmod(0o600)
    with home_lock.hold(home):
        assert find_connection(path) == connection(port)  # for as long as it lives
    return path


@pytest.mark.parametrize("kind", ["a page", "a Maquette with another token"])
def test_a_dead_server_s_port_is_not_even_asked(tmp_path, kind):
    with stranger(STRANGERS[kind]) as (port, heard):
        path = left_behind(tmp_path / "home", port)
        with pytest.raises(ServerAbsent, match="the last one ended without a word"):
            find_connection(path)
    assert heard == []


def test_blender_then_offers_to_start_one(tmp_path):
    """The panel's link is absent, which has Start Server below it; the stranger hears no token."""

    async def story(path) -> Session:
        dispatcher = Dispatcher(lambda: find_connection(path), tmp_path / "pictures")
        watch = asyncio.create_task(dispatcher.watch())
        await asyncio.wait_for(dispatcher.until(lambda session: session.link.name != "connecting"), 10)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        return dispatcher.session

    with stranger(STRANGERS["other JSON"]) as (port, heard):
        link = asyncio.run(story(left_behind(tmp_path / "home", port))).link
    assert (link.name, link.notice.code, heard) == ("absent", "server-absent", [])


def test_an_address_that_somebody_typed_advises_no_button_that_is_not_there():
    """Start Server would start one here, and the panel does not offer it then."""
    typed = Connection(address="http://127.0.0.1:9", token="", version="unknown")
    with pytest.raises(ServerAbsent) as caught:
        asyncio.run(connect(typed))
    assert caught.value.fix == "Start the server there, or correct the Address in the add-on's preferences."
    assert START_SERVER not in fixes.of(notice(caught.value), startable=False)


def test_a_file_without_a_lock_beside_it_is_taken_at_its_word(tmp_path):
    """A copy of it leads through a tunnel to another machine."""
    path = left_behind(tmp_path / "home", 1)
    home_lock.lock_path(path.parent).unlink()
    assert find_connection(path) == connection(1)
