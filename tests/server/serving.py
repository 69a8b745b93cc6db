# SPDX-License-Identifier: MIT
"""A real server for tests: its own process, a real socket, a real queue; only the engine is a fake one."""

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from addon.client.api import Client, connect
from addon.protocol.answers import Connection, Job, read_connection
from addon.protocol.blockout import Blockout, Frame, Region, pack_mask
from addon.protocol.strict_json import ContractError, dump
from server.http.host import running
from server.settings import ServerSettings
from tests.server.processes import workers_of

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
FAKE = "tests.server.fake_engine:FakeEngine"
OVER = ("done", "failed", "cancelled")


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


def block(phrase: str, box: tuple[int, int, int, int], grid: int = 64, **changes: Any) -> Region:
    """A region that is a box: left, top, right and bottom in cells of a square grid over the whole frame."""
    left, top, right, bottom = box
    inside = [left <= x < right and top <= y < bottom for y in range(grid) for x in range(grid)]
    standard: dict[str, Any] = {
        "name": phrase,
        "phrase": phrase,
        "mask": pack_mask(grid, grid, bytes(255 * cell for cell in inside)),
        "centroid": ((left + right) / 2 / grid, (top + bottom) / 2 / grid),
        "size": sum(inside) / grid**2,
        "visible": 1.0,
        "depth": 0,
    }
    return Region(**standard | changes)


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

    def json(self, method: str, path: str, document: object = None, **headers: str) -> tuple[int, Any]:
        """One request with a JSON body, if any, and a JSON answer: status, document."""
        body = None if document is None else encoded(document)
        status, _, answer = self.request(method, path, body, **headers)
        return status, json.loads(answer)

    def json_of(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """One request with a body as it is, and a JSON answer: status, document."""
        status, _, answer = self.request(method, path, body)
        return status, json.loads(answer)

    def submit(self, key: str = "", **changes: Any) -> str:
        """Queues ``blockout(**changes)``; its job's id."""
        key = key or uuid.uuid4().hex
        status, job = self.json("POST", "/v1/jobs", dump(blockout(**changes)), Idempotency_Key=key)
        assert status in (200, 201), job
        return str(job["id"])

    def job(self, job: str) -> dict[str, Any]:
        """A job's record."""
        status, document = self.json("GET", f"/v1/jobs/{job}")
        assert status == 200, document
        return dict(document)

    def reaches(self, job: str, *states: str, seconds: float = 60.0) -> dict[str, Any]:
        """Waits until a job is in one of the states, over by default; its record then."""
        wait_until(lambda: self.job(job)["state"] in (states or OVER), seconds)
        return self.job(job)

    def kill(self, *, with_worker: bool = False) -> None:
        """What a crash does, or, with its worker, a power cut."""
        workers = workers_of(self.process.pid) if with_worker else []
        for process in (self.process.pid, *workers):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait(10)


def environment(home: Path) -> dict[str, str]:
    """What a child needs to find the fake engine, and its own state."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MAQUETTE_HOME": str(home),
    }


@contextmanager
def serving(
    home: Path, *flags: str, stdin: int | None = None, engine: str = FAKE, settings: dict[str, Any] | None = None
) -> Iterator[Served]:
    """``maquette serve`` in a process of its own, asked to stop at the end; with ``settings``, those that have no flag.

    A home may be served again after a crash: it is this server's connection that is waited for.
    """
    output, left = home.with_suffix(".log"), _published(home)
    words = [sys.executable, "-m", "server", "serve", "--engine", engine, *flags]
    if settings is not None:
        words = [
            sys.executable,
            str(HERE / "serve_with.py"),
            json.dumps({"home": str(home), "engine": engine, **settings}),
        ]
    with output.open("a") as out:
        process = subprocess.Popen(
            words, env=environment(home), stdin=stdin, stdout=out, stderr=subprocess.STDOUT, text=True
        )
    try:
        wait_until(lambda: _published(home) not in (None, left) or process.poll() is not None, 60.0)
        assert process.poll() is None, output.read_text()[-2000:]
        yield Served(process, read_connection(home / "connection.json"), home, output)
    finally:
        process.terminate()
        process.wait(30)


def _published(home: Path) -> Connection | None:
    try:
        return read_connection(home / "connection.json")
    except (FileNotFoundError, ContractError):
        return None


@asynccontextmanager
async def at_home(settings: ServerSettings) -> AsyncIterator[Client]:
    """A server in this event loop, and a client of it."""
    async with running(settings) as (_, connection):
        yield await connect(connection)


def fake(home: Path, **changes: Any) -> ServerSettings:
    """ServerSettings with the fake engine."""
    return ServerSettings(home=home, engine=FAKE, **changes)


async def ended(client: Client, job: Job) -> Job:
    """The job once it is over."""
    async for _ in client.events(job=job.id):
        pass
    return await client.job(job.id)


async def painted(client: Client, request: Blockout) -> Job:
    """The job of a request, once it is over."""
    return await ended(client, await client.submit(request, uuid.uuid4().hex))


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
