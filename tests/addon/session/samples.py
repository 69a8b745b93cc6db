# SPDX-License-Identifier: MIT
"""Jobs, events and blockouts of the smallest kind; and a dispatcher at work, with a real server or without."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from addon.client.api import find_connection
from addon.protocol.answers import VERSION, Connection, Event, Health, Job
from addon.protocol.blockout import Blockout, Frame, Region, pack_mask
from addon.protocol.default_model import TOYBOX
from addon.session import reducer
from addon.session.dispatcher import Dispatcher
from addon.session.state import Session
from addon.session.task import Task, Viewpoint
from server.http.host import running
from server.settings import ServerSettings

VIEW = Viewpoint(scene=1, camera=2, pose=(0.0,))
HEALTH = Health(version="0.1.0", contract=VERSION, device="CPU", model="toybox", queued=0, running=0)
JOB = Job(
    id="a",
    state="queued",
    sequence=1,
    created=100.0,
    phase="",
    step=0,
    steps=10,
    artifacts=(),
    problem=None,
    model="toybox",
    prompt="a castle",
    seed=0,
)


def job(name: str = "a", **changes) -> Job:
    """A job that waits, unless ``changes`` say otherwise."""
    return replace(JOB, id=name, **changes)


def event(name: str = "a", **changes) -> Event:
    """News of a step of that job, unless ``changes`` say otherwise."""
    plain = Event(
        id=1,
        job=name,
        sequence=2,
        kind="progress",
        state="running",
        phase="sampling",
        step=3,
        steps=10,
        artifact=None,
    )
    return replace(plain, **changes)


def with_jobs(*jobs: Job) -> Session:
    """A session with a server that has these jobs of ours."""
    session = reducer.server_answered(Session(), HEALTH, (TOYBOX,))
    for one in jobs:
        session = reducer.job_submitted(session, Task(job=one, view=VIEW, request="{}"))
    return session


def blockout(steps: int = 3) -> Blockout:
    """A small request that takes so many steps."""
    region = Region(
        name="castle",
        phrase="castle",
        mask=pack_mask(8, 8, bytes([255] * 64)),
        centroid=(0.5, 0.5),
        size=1.0,
        visible=1.0,
        depth=0,
    )
    return Blockout(
        prompt="a castle",
        regions=(region,),
        width=64,
        height=64,
        frame=Frame(left=0, top=0, width=64, height=64),
        seed=1,
        model="toybox",
        steps=steps,
        strength=0.7,
        scale=4.0,
    )


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
