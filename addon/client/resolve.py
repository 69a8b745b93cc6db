# SPDX-License-Identifier: GPL-3.0-or-later
"""The number of a machine by its name, looked up in a child process: asyncio would start a thread for it. No bpy."""

import asyncio
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from ..protocol.answers import Connection
from .exceptions import ServerAbsent

POLL_SECONDS = 0.02  # seconds between two looks at the child
ANSWER_SECONDS = 10.0  # seconds for an answer
LOOK_UP = "import socket, sys; print(socket.getaddrinfo(sys.argv[1], None, type=socket.SOCK_STREAM)[0][4][0])"


async def numbered(connection: Connection) -> Connection:
    """The connection with a number for the machine's name. Raises ServerAbsent where nobody knows the name."""
    parts = urlsplit(connection.address)
    name = parts.hostname or ""
    with suppress(ValueError):
        ip_address(name)
        return connection
    number = "127.0.0.1" if name == "localhost" else await _look_up(name)
    host = f"[{number}]" if ":" in number else number
    return replace(connection, address=f"http://{host}:{parts.port or 80}")


async def _look_up(name: str) -> str:
    words = [sys.executable, "-I", "-c", LOOK_UP, name]
    child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while child.poll() is None:
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError as error:
        raise _unknown(name) from error
    finally:
        child.kill()
        output, _ = child.communicate()
    if child.returncode != 0:
        raise _unknown(name)
    return output.decode().strip()


def _unknown(name: str) -> ServerAbsent:
    return ServerAbsent(f"No machine called {name} is known here", "Correct the Address in the add-on's preferences")
