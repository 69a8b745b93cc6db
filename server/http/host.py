# SPDX-License-Identifier: MIT
"""``maquette serve``: the server on loopback, and the one file that says where it is."""

import asyncio
import errno
import json
import os
import secrets
import socket
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import uvicorn

from addon.protocol import home_lock
from addon.protocol.answers import Connection
from addon.protocol.strict_json import dump

from ..errors import CommandError
from ..logs import unflooded
from ..queue.migrations import check
from ..settings import VERSION, ServerSettings
from ..unique_names import printable
from .app import create_app
from .connections import BoundedProtocol

LOOPBACK = "127.0.0.1"
PART = "new-connection-"
ACCEPTED_AT_ONCE = 16  # connections, before others are looked at: each has a descriptor
BACKLOG = 4096  # connections that the system holds meanwhile: one more asks again after a second


class AlreadyServing(CommandError):
    """Another server works in the same home."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"A server already runs in {folder}: stop it, or set MAQUETTE_HOME to another folder")


class UnusableHome(CommandError):
    """The folder of queue, pictures and connection file cannot be written."""

    def __init__(self, folder: Path, reason: str) -> None:
        fix = "give yourself the right to write there, make room, or name another folder with --home or MAQUETTE_HOME"
        super().__init__(f"{folder} cannot be the server's home ({reason}): {fix}")


class UnreadablePath(CommandError):
    """A path in the settings that is no text, and so cannot be told to a worker."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{printable(str(path))} has bytes that are no UTF-8, and cannot be told to others: rename it")


class PortTaken(CommandError):
    """Something else listens where we were told to, or we may not."""

    def __init__(self, port: int, reason: str) -> None:
        super().__init__(f"Port {port} {reason}: choose another, or 0 for a free one")


class NotStarted(CommandError):
    """The application's start-up failed; uvicorn has logged why."""

    def __init__(self) -> None:
        super().__init__("The server could not start; the lines above say why")


class Host(uvicorn.Server):
    """uvicorn, but it ends event streams when it is told to stop, and leaves signals to the command that runs it."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """None: with uvicorn's own, Ctrl-C would end the server and leave whoever waits for its answers waiting."""
        return nullcontext()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves. Raises NotStarted, where uvicorn would end the process with a code of its own."""
        try:
            await super().serve(sockets)
        except SystemExit as error:
            raise NotStarted from error

    def stop(self) -> None:
        """Ends the streams, lets requests finish, asks the worker to leave."""
        self.should_exit = True
        self.config.app.state.services.signal.close()  # type: ignore[union-attr]


@contextmanager
def sole(folder: Path) -> Iterator[None]:
    """Holds the home for this process; the system lets go when the process dies.

    Raises AlreadyServing, UnusableHome.
    """
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            stack.enter_context(home_lock.hold(folder))
        except home_lock.AlreadyLocked as error:
            raise AlreadyServing(folder) from error
        except OSError as error:
            raise UnusableHome(folder, error.strerror or str(error)) from error
        yield


@contextmanager
def published(connection: Connection, path: Path) -> Iterator[None]:
    """Leaves the connection where clients look for it, readable by its owner alone, for as long as the server runs.

    Raises UnusableHome.
    """
    try:
        for old in path.parent.glob(f"{PART}*"):  # of one that was killed in these lines
            old.unlink(missing_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=PART)  # mkstemp makes it 0600
        with os.fdopen(descriptor, "w") as file:
            json.dump(dump(connection), file)
        Path(name).replace(path)
    except OSError as error:
        raise UnusableHome(path.parent, error.strerror or str(error)) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@asynccontextmanager
async def running(settings: ServerSettings) -> AsyncIterator[tuple[Host, Connection]]:
    """A server at work in this event loop, published; stopped at the end."""
    for path in (settings.home, *settings.folders, *settings.adapters):
        if printable(str(path)) != str(path):
            raise UnreadablePath(path)
    token = secrets.token_urlsafe(32)
    config = uvicorn.Config(
        create_app(settings, token),
        http=partial(BoundedProtocol, most=settings.max_connections),  # type: ignore[arg-type]  # called, like the class
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=3,
        backlog=ACCEPTED_AT_ONCE,
    )
    host = Host(config)
    with sole(settings.home), unflooded():
        try:
            check(settings.database)  # what is wrong with the queue is said here, not in uvicorn's log
            settings.shelf.mkdir(exist_ok=True)
            for path, mode in ((settings.database, 0o600), (settings.shelf, 0o700)):
                path.chmod(mode)  # what SQLite keeps beside its file has that file's mode
        except sqlite3.Error as error:
            raise UnusableHome(settings.home, f"{settings.database.name}: {error}") from error
        except OSError as error:
            raise UnusableHome(settings.home, f"{settings.shelf.name}: {error.strerror or error}") from error
        with _listening(settings.port) as listener:
            address = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
            connection = Connection(address=address, token=token, version=VERSION)
            async with _started(host, listener):
                listener.listen(BACKLOG)
                with published(connection, settings.connection):
                    yield host, connection


@asynccontextmanager
async def _started(host: Host, listener: socket.socket) -> AsyncIterator[None]:
    """uvicorn at work; stopped at the end, however that comes. Raises NotStarted."""
    serving = asyncio.create_task(host.serve([listener]))
    try:
        await _start_of(host, serving)
        yield
    finally:
        await _start_of(host, serving)  # whoever interrupts it waits for it: uvicorn shuts down only what has started
        host.stop()
        await serving


async def _start_of(host: Host, serving: "asyncio.Task[None]") -> None:
    while not host.started:
        if serving.done():
            await serving
            raise NotStarted
        await asyncio.sleep(0.01)


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise PortTaken(port, "is taken" if taken else f"cannot be used ({error.strerror or error})") from error
