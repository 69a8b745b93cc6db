# SPDX-License-Identifier: MIT
"""A dispatcher at work, with a real server or without."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from addon.client.api import find_connection
from addon.protocol.answers import Connection
from addon.session.dispatcher import Dispatcher
from addon.session.state import Session
from server.http.host import running
from server.settings import ServerSettings


@asynccontextmanager
async def dispatching(folder: Path, dial: Callable[[], Connection] = find_connection) -> AsyncIterator[Dispatcher]:
    """A dispatcher with its watch running."""
    dispatcher = Dispatcher(dial, folder)
    watch = asyncio.create_task(dispatcher.watch())
    try:
        yield dispatcher
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


@asynccontextmanager
async def online(settings: ServerSettings, folder: Path) -> AsyncIterator[Dispatcher]:
    """A dispatcher that has met its server."""
    async with running(settings), dispatching(folder) as dispatcher:
        await until(dispatcher, is_online)
        yield dispatcher


def is_online(session: Session) -> bool:
    """Whether a server answers."""
    return session.link.name == "online"


def is_absent(session: Session) -> bool:
    """Whether it is known that none does."""
    return session.link.name == "absent"


async def until(dispatcher: Dispatcher, satisfied: Callable[[Session], object]) -> Session:
    """The session once it is so; raises TimeoutError after 20 seconds."""
    await asyncio.wait_for(dispatcher.until(satisfied), 20)
    return dispatcher.session


@asynccontextmanager
async def tunnel(lost: list[bytes] | None = None) -> AsyncIterator[str]:
    """The address of a port that leads to the running server, as ``ssh -L`` makes one.

    With an empty ``lost``, the first line of the first answer to a new job ends there, and the connection with it.
    """

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection("127.0.0.1", urlsplit(find_connection().address).port)
        request = await reader.read(2**20)
        requests.write(request)
        await requests.drain()
        if lost == [] and request.startswith(b"POST /v1/jobs "):
            lost.append(await answers.readline())
            requests.close()
            writer.close()
            return
        await asyncio.gather(_pour(reader, requests), _pour(answers, writer))

    async with await asyncio.start_server(carry, "127.0.0.1", 0) as listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(2**16):
        writer.write(part)
        await writer.drain()
    writer.close()
