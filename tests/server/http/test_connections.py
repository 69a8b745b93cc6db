# SPDX-License-Identifier: MIT
"""Connections of strangers: without a token, silent, slow or broken off. Nobody else waits for them, and the log does
not grow."""

import resource
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from server.http.connections import REQUEST_SECONDS
from server.settings import ServerSettings
from tests.server.processes import open_files
from tests.server.serving import Served, blockout, encoded, serving, wait_until

CONNECTIONS = 5000
MOST = ServerSettings.max_connections
HEAD = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"
OPENINGS = {
    "silent": b"",
    "half a head": HEAD + b"X: ",
    "half a body": HEAD + b"Content-Type: application/json\r\nContent-Length: 8000000\r\n\r\n" + b" " * 1000,
    "no HTTP": b"\x16\x03\x01\r\n\r\n",
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "home") as served:
        if sys.platform == "linux":  # what a process usually may have
            resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (1024, 1024))
        yield served


def address(served: Served) -> tuple[str, int]:
    host, port = served.connection.address.removeprefix("http://").split(":")
    return host, int(port)


def health_seconds(served: Served) -> float:
    began = time.monotonic()
    assert served.request("GET", "/v1/health")[0] == 200
    return time.monotonic() - began


def opened(served: Served, count: int, words: bytes, stack: ExitStack) -> list[socket.socket]:
    links = []
    for _ in range(count):
        link = stack.enter_context(socket.create_connection(address(served), timeout=5))
        with suppress(OSError):  # closed for a newer one already
            link.sendall(words)
        links.append(link)
    return links


def is_closed(link: socket.socket) -> bool:
    link.setblocking(False)
    try:
        return link.recv(4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("opening", OPENINGS)
def test_thousands_of_strangers_delay_nobody(served: Served, opening: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CONNECTIONS + 500:
        pytest.skip(f"a process may have {hard} files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CONNECTIONS + 500), hard))
    log, began = served.output.stat().st_size, time.monotonic()
    with ExitStack() as stack:
        slowest = 0.0
        for _ in range(20):
            opened(served, CONNECTIONS // 20, OPENINGS[opening], stack)
            slowest = max(slowest, health_seconds(served))
        assert slowest < 1.0
        assert open_files(served.process.pid) < MOST + 100
        assert served.output.stat().st_size - log < 1000 * max(1.0, time.monotonic() - began)
        job = served.submit()
        assert served.reaches(job)["state"] == "done"


def test_a_head_that_comes_by_the_byte_is_closed_in_time(served: Served) -> None:
    with ExitStack() as stack:
        (link,) = opened(served, 1, HEAD, stack)
        began = time.monotonic()
        while not is_closed(link):
            assert time.monotonic() - began < REQUEST_SECONDS + 2.0
            with suppress(OSError):
                link.send(b"X")
            time.sleep(0.2)
        assert time.monotonic() - began > REQUEST_SECONDS - 2.0


def test_listeners_stay_however_many_strangers_come(served: Served) -> None:
    token = f"Authorization: Bearer {served.connection.token}\r\n".encode()
    with ExitStack() as stack:
        (listener,) = opened(served, 1, b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n" + token + b"\r\n", stack)
        wait_until(lambda: b"Maquette" in listener.recv(4096))
        opened(served, 2 * MOST, b"", stack)
        job = served.submit()
        wait_until(lambda: job.encode() in listener.recv(65536))


def test_few_descriptors_are_enough(served: Served) -> None:
    resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (100, 1024))
    with ExitStack() as stack:
        log = served.output.stat().st_size
        opened(served, 300, b"", stack)
        assert health_seconds(served) < 2.0
        assert served.output.stat().st_size - log < 5000


def test_a_kept_connection_is_answered_at_once(served: Served) -> None:
    """Nagle's algorithm, with the delayed acknowledgement of the other side, makes every answer 40 ms late."""
    import http.client

    link = http.client.HTTPConnection(*address(served))
    taken = []
    for _ in range(30):
        began = time.perf_counter()
        link.request("GET", "/v1/models", headers={"Authorization": f"Bearer {served.connection.token}"})
        assert link.getresponse().read()
        taken.append(time.perf_counter() - began)
    link.close()
    assert sorted(taken)[len(taken) // 2] < 0.035


def test_whoever_hangs_up_in_a_body_leaves_no_trace(served: Served) -> None:
    body = encoded({"prompt": "secret" * 100})
    token = f"Authorization: Bearer {served.connection.token}\r\nContent-Type: application/json\r\n".encode()
    with ExitStack() as stack:
        for link in opened(served, 20, HEAD + token + b"Content-Length: 90000\r\n\r\n" + body, stack):
            link.close()
    assert served.reaches(served.submit(prompt="a cat, secret"))["state"] == "done"
    text = served.output.read_text()
    assert "Traceback" not in text and "secret" not in text and served.connection.token not in text
    assert blockout().prompt not in text
