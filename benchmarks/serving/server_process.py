# SPDX-License-Identifier: MIT
"""A server in a process of its own, and raw requests to it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from addon.protocol.answers import Connection, read_connection
from addon.protocol.blockout import Blockout, Frame, Region, pack_mask
from addon.protocol.strict_json import ContractError, dump

ENGINE = "benchmarks.serving.engine:FreeEngine"
START = """
import json, sys
from pathlib import Path
from server.cli.serve import run
from server.settings import ServerSettings
settings = json.loads(sys.argv[1])
run(ServerSettings(home=Path(settings.pop("home")), **settings))
"""


@dataclass
class ServerProcess:
    """A server of ours that may die and come again in one home."""

    home: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    connection: Connection | None = None

    def start(self) -> None:
        """Starts it, and waits for it to answer."""
        settings = {"home": str(self.home), "engine": ENGINE, "drain": 1.0, "max_queued": 10**6, **self.settings}
        former = self.published()
        with self.home.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-c", START, json.dumps(settings)], stderr=log, stdout=log)
        until(lambda: self.published() not in (None, former))
        self.connection = self.published()

    def published(self) -> Connection | None:
        """What its connection file says; None where there is none."""
        with suppress(OSError, ContractError):
            return read_connection(self.home / "connection.json")
        return None

    def workers(self) -> list[int]:
        """Its child processes (Linux)."""
        assert self.process is not None
        with suppress(OSError):
            text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
            return [int(word) for word in text.split()]
        return []

    def kill(self) -> None:
        """As a crash does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)

    def link(self) -> http.client.HTTPConnection:
        """A connection to it, which sends at once."""
        assert self.connection is not None
        link = http.client.HTTPConnection(self.netloc(), timeout=60)
        connect_at_once(link)
        return link

    def netloc(self) -> str:
        """Its host and port."""
        assert self.connection is not None
        return urlsplit(self.connection.address).netloc

    def headers(self, **more: str) -> dict[str, str]:
        """Those of a request with a JSON body."""
        assert self.connection is not None
        sent = {"Authorization": f"Bearer {self.connection.token}", "Content-Type": "application/json"}
        return sent | {name.replace("_", "-"): value for name, value in more.items()}

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        """One request on a connection of its own: status and JSON."""
        link = self.link()
        try:
            link.request(method, path, body, self.headers(**headers))
            answer = link.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            link.close()

    def idle(self) -> bool:
        """Whether nothing waits or is painted."""
        health = self.request("GET", "/v1/health")[1]
        return int(health["queued"]) + int(health["running"]) == 0


@contextmanager
def at_work(home: Path, **settings: object) -> Iterator[ServerProcess]:
    """A server for as long as the block runs."""
    server = ServerProcess(home, settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def body(seed: int, prompt: str = "a cat", masks: int = 1, side: int = 8, steps: int = 1) -> bytes:
    """A request of so many regions with masks of noise, ``side`` cells wide; 4 of 128 are 13 kB and more."""
    noise = os.urandom(side * side // 8) * 8
    region = Region(
        name="cat",
        phrase="cat",
        mask=pack_mask(side, side, noise),
        centroid=(0.5, 0.5),
        size=0.5,
        visible=1.0,
        depth=0,
    )
    blockout = Blockout(
        prompt=prompt,
        regions=(region,) * masks,
        width=64,
        height=64,
        frame=Frame(left=0, top=0, width=64, height=64),
        seed=seed,
        model="toybox",
        steps=steps,
        strength=0.7,
        scale=4.0,
    )
    return json.dumps(dump(blockout)).encode()


def connect_at_once(link: http.client.HTTPConnection) -> None:
    """Connects, without Nagle's algorithm."""
    link.connect()
    assert isinstance(link.sock, socket.socket)
    send_at_once(link.sock)


def send_at_once(link: socket.socket) -> socket.socket:
    """The same socket, without Nagle's algorithm."""
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("it never came true")
        time.sleep(0.01)


def percentile(values: Sequence[float], share: float = 0.95) -> float:
    """The value that ``share`` (0..1) of the values do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
