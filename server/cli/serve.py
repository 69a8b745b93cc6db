# SPDX-License-Identifier: MIT
"""``maquette serve``: the server's flags, and its run in the foreground."""

import argparse
import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from addon.protocol.paths import home

from ..catalogue import offered
from ..http.host import running
from ..settings import ServerSettings
from .terminal import say

LEASH = "MAQUETTE_LEASH"  # set where standard input is a pipe from whoever started us


async def serve(settings: ServerSettings) -> None:
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


def settings_from(arguments: argparse.Namespace) -> ServerSettings:
    """The settings that the flags ask for."""
    return ServerSettings(
        home=arguments.home, port=arguments.port, models=offered(arguments.model or []), engine=arguments.engine
    )


def main(argv: Sequence[str]) -> int:
    """``maquette serve``."""
    parser = argparse.ArgumentParser(prog="maquette serve", description="Serve pictures on this machine.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 picks a free one")
    parser.add_argument("--home", type=Path, default=home(), help="folder of queue, pictures and connection file")
    parser.add_argument("--model", action="append", help="also offer a folder, a checkpoint or a name of ours")
    parser.add_argument("--engine", default=ServerSettings.engine, help="what paints, as module:factory")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(settings_from(parser.parse_args(argv))))
    return 0
