# SPDX-License-Identifier: MIT
"""The client against servers that are absent, changed, cut off or no servers of ours."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from addon.client import api as module
from addon.client import http as wire
from addon.client.api import Client, connect, find_connection
from addon.client.exceptions import AddonOlder, Garbled, ServerAbsent, ServerProblem, VersionMismatch, WrongToken
from addon.protocol.answers import VERSION, Connection, Health
from addon.protocol.strict_json import dump
from tests.server.serving import at_home, blockout, fake, serving

HEALTH = Health(version="9", contract=VERSION, device="", model="", queued=0, running=0)


@asynccontextmanager
async def answering(*answers):
    """A peer that answers each connection with the next of these bytes and hangs up; yields a client of it, and what
    was asked."""
    requests, left = [], list(answers)

    async def answer(reader, writer):
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(left.pop(0))
        await writer.drain()
        writer.close()

    peer = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = peer.sockets[0].getsockname()[1]
    async with peer:
        yield Client(Connection(address=f"http://127.0.0.1:{port}", token="t", version="1")), requests


def http(body, status="200 OK", headers="", length=None):
    """An answer's bytes."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {length or len(text)}\r\n\r\n".encode() + text


def ask(answer, question):
    """What the client makes of one answer."""

    async def run():
        async with answering(answer) as (client, _):
            return await question(client)

    return asyncio.run(run())


def test_no_connection_file(tmp_path):
    with pytest.raises(ServerAbsent, match="maquette serve"):
        find_connection(tmp_path / "connection.json")


def test_nobody_answers():
    connection = Connection(address="http://127.0.0.1:1", token="t", version="1")
    with pytest.raises(ServerAbsent):
        asyncio.run(connect(connection))


def test_a_token_of_an_earlier_start(served):
    old = Connection(address=served.connection.address, token="old", version="1")
    with pytest.raises(WrongToken, match="anew"):
        asyncio.run(connect(old))


@pytest.mark.parametrize(
    "document", [{**dump(HEALTH), "contract": VERSION + 1}, {**dump(HEALTH), "contract": VERSION - 1, "new": 1}, []]
)
def test_another_version(document):
    with pytest.raises(VersionMismatch, match="same version"):
        ask(http(document), Client.health)


def test_what_a_later_server_says_anew_is_named():
    with pytest.raises(AddonOlder, match="does not know mood of Health"):
        ask(http({**dump(HEALTH), "mood": "good"}), Client.health)


@pytest.mark.parametrize(
    "answer",
    [
        http(b"{"),
        http({**dump(HEALTH), "queued": "none"}),
        http(b"<html>", "500 Oh"),
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200,
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 2**17,
        http(b"x" * (module.DOCUMENT_BYTES + 1)),
    ],
)
def test_what_is_no_answer_of_ours(answer):
    with pytest.raises(Garbled):
        ask(answer, Client.health)


@pytest.mark.parametrize("answer", [b"", http(dump(HEALTH), length=1000), b"HTTP/1.1 200"])
def test_a_connection_that_breaks(answer):
    with pytest.raises(ServerAbsent):
        ask(answer, Client.health)


def test_chunks_are_put_together():
    body = json.dumps(dump(HEALTH)).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:]))
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    assert ask(answer, Client.health) == HEALTH


def test_a_refusal_brings_its_problem(served):
    with pytest.raises(ServerProblem) as caught:
        asyncio.run(Client(served.connection).job("nobody"))
    assert caught.value.problem.type == "unknown-job"


def test_events_go_on_where_they_broke(monkeypatch):
    """The stream is cut in the middle; the client comes back with the number of the last event it saw whole."""
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.01, 0.02))
    event = {"job": "j", "kind": "state", "phase": "", "step": 0, "steps": 1, "artifact": None, "energies": []}

    def frame(number, state):
        data = json.dumps({"id": number, "sequence": number, "state": state, **event})
        return f": hello\n\nid: {number}\nevent: state\ndata: {data}\n\n".encode()

    job = {"id": "j", "state": "running", "sequence": 5, "created": 0, "phase": "", "step": 0, "steps": 1}
    alive = http({**job, "artifacts": [], "problem": None, "model": "m", "prompt": "", "seed": 0})
    first = http(frame(4, "queued") + b"id: 5\nevent: sta", length=5000)
    second, third = http(frame(5, "running")), http(frame(6, "done"))  # the second stream ends early, but cleanly

    async def run():
        async with answering(first, b"", second, alive, third) as (client, requests):
            return [(e.id, e.state) async for e in client.events(job="j")], requests

    events, requests = asyncio.run(run())
    assert events == [(4, "queued"), (5, "running"), (6, "done")]
    streams = [head for head in requests if b"/events" in head]
    assert [int(head.partition(b"Last-Event-ID: ")[2].split()[0]) for head in streams] == [0, 4, 4, 5]


def test_events_of_a_server_that_stays_away(monkeypatch):
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.01, 0.02))

    with pytest.raises(ServerAbsent):
        asyncio.run(follow(Client(Connection(address="http://127.0.0.1:1", token="t", version="1"))))


def test_silence_is_a_lost_connection():
    async def run():
        async with answering(http(b": hello\n\n", length=1000)) as (client, _):
            request = wire.Request(client.connection.address, "GET", "/")
            return [data async for data in wire.listen(request, wire.EventCursor(), silence=0.05)]

    with pytest.raises(wire.LOST):
        asyncio.run(run())


def test_a_server_that_was_started_anew_is_no_endless_retry(tmp_path):
    """Same port, same home, new token: the client says so."""
    home = tmp_path / "home"
    with serving(home) as before:
        port = before.connection.address.rpartition(":")[2]
    with serving(home, "--port", port), pytest.raises(WrongToken):
        asyncio.run(follow(Client(before.connection)))


async def follow(client):
    async for _ in client.events():
        pass


def test_a_picture_larger_than_expected_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "PICTURE_BYTES", 100)

    async def run():
        async with at_home(fake(tmp_path)) as client:
            job = await client.submit(blockout(), "key")
            async for _ in client.events(job=job.id):
                pass
            await client.artifact((await client.job(job.id)).artifacts[0].sha256)

    with pytest.raises(Garbled, match="more than 100 bytes"):
        asyncio.run(run())


def test_a_token_of_strange_letters_is_a_wrong_one(served):
    client = Client(replace(served.connection, token="“secret”"))
    with pytest.raises(WrongToken):
        asyncio.run(client.health())


def test_a_server_that_knows_no_adapters_has_none():
    problem = {"type": "no-route", "title": "x", "status": 404, "detail": "x", "fix": "", "path": ""}
    assert ask(http(problem, "404 Not Found"), lambda client: client.adapters()) == []
    with pytest.raises(ServerProblem):
        ask(http({**problem, "type": "internal"}, "500 No"), lambda client: client.adapters())
