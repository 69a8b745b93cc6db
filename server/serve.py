# SPDX-License-Identifier: MIT
"""``maquette serve``: the server on loopback, and the one file that says where it is."""

import argparse
import asyncio
import json
import logging
import os
import secrets
import socket
import sqlite3
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import FrameType

import uvicorn

from addon.contract import Connection, dump, home

from .app import create_app
from .models import offered
from .schema import connect
from .settings import VERSION, Settings
from .terminal import CommandError, say

LOOPBACK = "127.0.0.1"
LEASH = "MAQUETTE_LEASH"  # set where standard input is a pipe from whoever started us


class AlreadyServing(CommandError):
    """Another server works in the same home."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"A server already runs in {folder}: stop it, or set MAQUETTE_HOME to another folder")


class PortTaken(CommandError):
    """Something else listens where we were told to."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} is taken: choose another, or 0 for a free one")


class NotStarted(CommandError):
    """The application's start-up failed; uvicorn has logged why."""

    def __init__(self) -> None:
        super().__init__("The server could not start; the lines above say why")


class Host(uvicorn.Server):
    """uvicorn, but it ends event streams when it is told to stop, and a signal is a clean way to go."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called for SIGINT and SIGTERM."""
        self.stop()

    def stop(self) -> None:
        """Ends the streams, lets requests finish, asks the worker to leave."""
        self.should_exit = True
        self.config.app.state.house.bell.close()  # type: ignore[union-attr]


@contextmanager
def sole(folder: Path) -> Iterator[None]:
    """Holds the home for this process; the system lets go when the process dies. Raises AlreadyServing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = sqlite3.connect(folder / "lock.sqlite", timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise AlreadyServing(folder) from error
    try:
        yield
    finally:
        lock.close()


@contextmanager
def published(connection: Connection, path: Path) -> Iterator[None]:
    """Leaves the connection where clients look for it, readable by its owner alone, for as long as the server runs."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix="new-connection-")  # mkstemp makes it 0600
    with os.fdopen(descriptor, "w") as file:
        json.dump(dump(connection), file)
    Path(name).replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[Host, Connection]]:
    """A server at work in this event loop, published; stopped at the end."""
    token = secrets.token_urlsafe(32)
    config = uvicorn.Config(
        create_app(settings, token), ws="none", access_log=False, log_level="warning", timeout_graceful_shutdown=3
    )
    host = Host(config)
    with sole(settings.home):
        connect(settings.database).close()  # what is wrong with the queue is said here, not in uvicorn's log
        with _listening(settings.port) as door:
            address = f"http://{LOOPBACK}:{door.getsockname()[1]}"
            serving = asyncio.create_task(host.serve([door]))
            while not host.started:
                await asyncio.sleep(0.01)
                if serving.done():
                    raise NotStarted
            connection = Connection(address=address, token=token, version=VERSION)
            with published(connection, settings.connection):
                try:
                    yield host, connection
                finally:
                    host.stop()
                    await serving


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise PortTaken(port) from error


async def serve(settings: Settings) -> None:
    """Serves until SIGTERM or Ctrl-C; on a leash also until standard input ends."""
    async with running(settings) as (host, connection):
        if LEASH in os.environ:
            leash(asyncio.get_running_loop(), host.stop)
        say(f"Maquette serves at {connection.address}; clients find it through {settings.connection}")
        while not host.should_exit:
            await asyncio.sleep(0.1)


def leash(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Has ``loop`` call ``stop`` once standard input ends: whoever held its other end is gone, however that came.

    A thread waits for it, for Windows' loop cannot read a pipe that it did not make.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):  # not stdin.read: its lock, held at the end, would abort the process
            pass
        with suppress(RuntimeError):  # the loop is closed: it was stopped otherwise
            loop.call_soon_threadsafe(stop)

    threading.Thread(target=wait, daemon=True).start()


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The settings that the flags ask for."""
    return Settings(
        home=arguments.home, port=arguments.port, models=offered(arguments.model or []), engine=arguments.engine
    )


def main(argv: Sequence[str]) -> int:
    """``maquette serve``."""
    parser = argparse.ArgumentParser(prog="maquette serve", description="Serve pictures on this machine.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--home", type=Path, default=home(), help="folder of queue, pictures and connection file")
    parser.add_argument("--model", action="append", type=Path, help="also offer the diffusers model in this folder")
    parser.add_argument("--engine", default=Settings.engine, help="what paints, as module:factory")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(settings_from(parser.parse_args(argv))))
    return 0
