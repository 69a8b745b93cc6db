# SPDX-License-Identifier: MIT
"""A real server for tests: its own process, a real socket, a real queue; only the engine is a fake one."""

import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from addon.client.api import Client, connect
from addon.protocol.records import Blockout, Connection, Frame, Job, Region, pack_mask, read_connection
from server.http.host import running
from server.settings import ServerSettings

ROOT = Path(__file__).parents[2]
FAKE = "tests.server.fake_engine:FakeEngine"


def blockout(**changes: Any) -> Blockout:
    """A small valid request."""
    mask = pack_mask(8, 8, bytes([0, 255] * 32))
    region = Region(name="cat", phrase="cat", mask=mask, centroid=(0.5, 0.5), size=0.5, visible=1.0, depth=0)
    standard: dict[str, Any] = {
        "prompt": "a cat",
        "regions": (region,),
        "width": 64,
        "height": 48,
        "frame": Frame(left=0, top=8, width=64, height=36),
        "seed": 7,
        "model": "toybox",
        "steps": 5,
        "strength": 0.7,
        "scale": 4.0,
    }
    return Blockout(**standard | changes)


@dataclass(frozen=True)
class Served:
    """A server process and how to reach it."""

    process: "subprocess.Popen[str]"
    connection: Connection
    home: Path
    output: Path

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
        """One raw request, with the token unless ``Authorization`` says otherwise: status, headers, body."""
        link = http.client.HTTPConnection(self.connection.address.removeprefix("http://"), timeout=10)
        sent = {"Authorization": f"Bearer {self.connection.token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        link.request(method, path, body, {name: value for name, value in sent.items() if value})
        answer = link.getresponse()
        result = answer.status, answer.headers, answer.read()
        link.close()
        return result


def environment(home: Path) -> dict[str, str]:
    """What a child needs to find the fake engine, and its own state."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MAQUETTE_HOME": str(home),
    }


@contextmanager
def serving(home: Path, *flags: str, stdin: int | None = None) -> Iterator[Served]:
    """``maquette serve`` with the fake engine, in a process of its own; asked to stop at the end."""
    output = home.with_suffix(".log")
    words = [sys.executable, "-m", "server", "serve", "--engine", FAKE, *flags]
    with output.open("a") as out:
        process = subprocess.Popen(
            words, env=environment(home), stdin=stdin, stdout=out, stderr=subprocess.STDOUT, text=True
        )
    try:
        wait_until(lambda: (home / "connection.json").exists() or process.poll() is not None)
        yield Served(process, read_connection(home / "connection.json"), home, output)
    finally:
        process.terminate()
        process.wait(15)


@asynccontextmanager
async def at_home(settings: ServerSettings) -> AsyncIterator[Client]:
    """A server in this event loop, and a client of it."""
    async with running(settings) as (_, connection):
        yield await connect(connection)


def fake(home: Path, **changes: Any) -> ServerSettings:
    """Settings with the fake engine."""
    return ServerSettings(home=home, engine=FAKE, **changes)


async def ended(client: Client, job: Job) -> Job:
    """The job once it is over."""
    async for _ in client.events(job=job.id):
        pass
    return await client.job(job.id)


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    """Waits for something to become true; fails when it does not."""
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.01)


def wait_until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Waits for something to become true; fails when it does not."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def encoded(document: object) -> bytes:
    """As a request's body."""
    return json.dumps(document).encode()
