# SPDX-License-Identifier: MIT
"""``maquette serve``: the server on loopback, and the one file that says where it is."""

import asyncio
import json
import os
import secrets
import socket
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType

import uvicorn

from addon.protocol.answers import Connection
from addon.protocol.strict_json import dump

from ..errors import CommandError
from ..queue.migrations import connect
from ..settings import VERSION, ServerSettings
from .app import create_app

LOOPBACK = "127.0.0.1"


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
        self.config.app.state.services.signal.close()  # type: ignore[union-attr]


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
async def running(settings: ServerSettings) -> AsyncIterator[tuple[Host, Connection]]:
    """A server at work in this event loop, published; stopped at the end."""
    token = secrets.token_urlsafe(32)
    config = uvicorn.Config(
        create_app(settings, token), ws="none", access_log=False, log_level="warning", timeout_graceful_shutdown=3
    )
    host = Host(config)
    with sole(settings.home):
        connect(settings.database).close()  # what is wrong with the queue is said here, not in uvicorn's log
        with _listening(settings.port) as listener:
            address = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
            serving = asyncio.create_task(host.serve([listener]))
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
