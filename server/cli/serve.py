# SPDX-License-Identifier: MIT
"""``maquette serve``: the server's flags, and its run in the foreground."""

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from addon.blender_process import LEASH
from addon.protocol.paths import home

from .. import logs
from ..catalogue import offered
from ..http.host import running
from ..safeguards.choices import Safeguards
from ..safeguards.content_credentials import signer_of
from ..safeguards.content_filter import check_filter
from ..settings import ServerSettings
from ..worker.devices import devices
from .terminal import say, stop_by_any_signal

LAST_PORT = 65535


async def serve(settings: ServerSettings) -> None:
    """Serves until it is cancelled, as Ctrl-C does; on a leash also until standard input ends."""
    _stop_gracefully()
    async with running(settings) as (host, connection):
        if LEASH in os.environ:
            leash(asyncio.get_running_loop(), host.stop)
        say(f"Maquette serves at {connection.address}; clients find it through {settings.connection}")
        while not host.should_exit:
            await asyncio.sleep(0.1)


def run(settings: ServerSettings) -> None:
    """Serves in the foreground until a signal comes, which is the way in which a server ends."""
    os.umask(0o077)  # prompts and pictures are their owner's alone, in a home of whatever mode
    stop_by_any_signal()
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(serve(settings))


def _stop_gracefully() -> None:
    """Have SIGTERM cancel the running task where Ctrl-C is ignored, as shells have it for what runs in the background:
    asyncio then takes no notice of the one that SIGTERM otherwise becomes."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    if task is not None and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(task.cancel))


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
        home=arguments.home,
        port=arguments.port,
        models=offered(arguments.model or []),
        folders=tuple(folder.absolute() for folder in arguments.models),
        adapters=tuple(folder.absolute() for folder in arguments.loras),
        devices=arguments.device,
        engine=arguments.engine,
        log_json=arguments.log_json,
        safeguards=Safeguards(
            request=not arguments.no_request,
            digital_source=not arguments.no_digital_source,
            mark=not arguments.no_mark,
            certificate=arguments.certificate and arguments.certificate.absolute(),
            private_key=arguments.private_key and arguments.private_key.absolute(),
            content_filter=arguments.filter,
        ),
    )


def check(safeguards: Safeguards) -> None:
    """What is wrong with them is said before anything starts. Raises NoSigner, NoFilter."""
    signer_of(safeguards)
    check_filter(safeguards.content_filter)


def engine(text: str) -> str:
    """A factory's address. Raises ArgumentTypeError where there is no such module; it is imported by the worker."""
    module = text.partition(":")[0]
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not text.partition(":")[2]:
        raise argparse.ArgumentTypeError(f"{text} is no engine that could be imported: name it as module:factory")
    return text


def port(text: str) -> int:
    """A port's number. Raises ArgumentTypeError for what is none."""
    if text.isdecimal() and int(text) <= LAST_PORT:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no port: choose one of 1 to {LAST_PORT}, or 0 for a free one")


def parser() -> argparse.ArgumentParser:
    """Its flags."""
    flags = argparse.ArgumentParser(prog="maquette serve", description="Serve pictures on this machine.")
    flags.add_argument("--port", type=port, default=0, help="port on 127.0.0.1; 0 picks a free one")
    flags.add_argument("--home", type=Path, default=home(), help="folder of queue, pictures and connection file")
    flags.add_argument("--model", action="append", help="also offer a folder, a checkpoint or a name of ours")
    of_models = "offer what is in this folder, ComfyUI's, A1111's or any"
    flags.add_argument("--models", type=Path, action="append", default=[], help=of_models)
    flags.add_argument(
        "--loras", type=Path, action="append", default=[], help="a folder of LoRAs, VAEs and ControlNets"
    )
    on = "cpu or cuda:N, several with commas between: a worker each"
    flags.add_argument("--device", type=devices, default=(), help=on)
    flags.add_argument("--engine", type=engine, default=ServerSettings.engine, help="what paints, as module:factory")
    flags.add_argument("--log-json", action="store_true", help="write the log as JSON, an object a line")
    own = flags.add_argument_group("safeguards")
    own.add_argument("--no-request", action="store_true", help="pictures do not carry what was asked for")
    own.add_argument("--no-digital-source", action="store_true", help="pictures do not say that a model made them")
    own.add_argument("--no-mark", action="store_true", help="no invisible mark in pictures of 512 by 512 and more")
    own.add_argument("--certificate", type=Path, help="PEM file of the chain that pictures are signed with (C2PA)")
    own.add_argument("--private-key", type=Path, help="its key, a PEM file that you alone can read")
    own.add_argument("--filter", default="", help="entry point that is asked before and after painting")
    return flags


def main(argv: Sequence[str]) -> int:
    """``maquette serve``."""
    settings = settings_from(parser().parse_args(argv))
    logs.configure(as_json=settings.log_json)
    check(settings.safeguards)
    run(settings)
    return 0
