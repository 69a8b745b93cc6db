# SPDX-License-Identifier: MIT
"""Speed: submits beside a bare FastAPI route, whole jobs, listeners, and health while strangers hold connections."""

import asyncio
import http.client
import json
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

from benchmarks.serving.server_process import ServerProcess, at_work, body, connect_at_once, percentile, until

WAITING = 64
MASKS, SIDE = 4, 128
READY_SECONDS = 60.0  # for all listeners to be let in
PACE = 0.05  # seconds from event to event
CLIENTS = 4


def submit_ms(folder: Path, turns: int) -> dict[str, float]:
    """The 95th percentile of a submit, on a new connection each and on a kept one; ours and FastAPI's in turns."""
    other = subprocess.Popen([sys.executable, "-m", "benchmarks.serving.comparison", str(folder)])
    try:
        with at_work(folder / "submits") as server, ExitStack() as stack:
            server.request("POST", "/v1/jobs", body(0, "ms=600000"))
            until((folder / "port").exists)
            for seed in range(WAITING):
                server.request("POST", "/v1/jobs", body(seed))
            ours, theirs = server.netloc(), f"127.0.0.1:{(folder / 'port').read_text()}"
            headers = server.headers()
            works: dict[str, Callable[[bytes], None]] = {
                "new": lambda sent: _new(ours, "/v1/jobs", sent, headers),
                "fastapi_new": lambda sent: _new(theirs, "/jobs", sent, headers),
                "kept": _kept(stack, ours, "/v1/jobs", headers),
                "fastapi_kept": _kept(stack, theirs, "/jobs", headers),
            }
            return {name: 1000 * percentile(taken) for name, taken in _in_turns(works, turns).items()}
    finally:
        other.kill()
        other.wait()


def _in_turns(works: dict[str, Callable[[bytes], None]], turns: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(turns + 10):
        for name, work in works.items():
            sent = body(turn, masks=MASKS, side=SIDE)
            began = time.perf_counter()
            work(sent)
            if turn >= 10:  # the first fill caches
                taken[name].append(time.perf_counter() - began)
    return taken


def _new(address: str, path: str, sent: bytes, headers: dict[str, str]) -> None:
    with ExitStack() as stack:
        _kept(stack, address, path, {**headers, "Connection": "close"})(sent)


def _kept(stack: ExitStack, address: str, path: str, headers: dict[str, str]) -> Callable[[bytes], None]:
    link = http.client.HTTPConnection(address, timeout=60)
    stack.callback(link.close)

    def submit(sent: bytes) -> None:
        if link.sock is None:
            connect_at_once(link)
        link.request("POST", path, sent, headers)
        answer = link.getresponse()
        answer.read()
        assert answer.status == 201, answer.status

    return submit


def jobs_per_second(folder: Path, count: int) -> float:
    """Whole jobs, from the first submit to the end of the last."""
    with at_work(folder / "jobs") as server:
        until(lambda: server.request("GET", "/v1/health")[1]["device"] == "nothing")

        def submit(client: int) -> None:
            with ExitStack() as stack:
                send = _kept(stack, server.netloc(), "/v1/jobs", server.headers())
                for number in range(client, count, CLIENTS):
                    send(body(number))

        began = time.perf_counter()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(submit, range(CLIENTS)))
        until(server.idle, 600.0)
        return count / (time.perf_counter() - began)


def sse_ms(folder: Path, listeners: int, seconds: float) -> tuple[float, float]:
    """From the asking for a change to every listener's hearing of it, and a health beside it; 95th percentiles."""
    with at_work(folder / "streams", max_streams=listeners + 8, max_connections=2 * listeners + 64) as server:
        server.request("POST", "/v1/jobs", body(0, "ms=600000"))
        job = server.request("POST", "/v1/jobs", body(1))[1]["id"]
        asked: dict[int, float] = {}
        health: list[float] = []
        delays = asyncio.run(_listened(server, listeners, lambda: _changes(server, job, seconds, asked, health), asked))
        return 1000 * percentile(delays), 1000 * percentile(health)


def _changes(server: ServerProcess, job: str, seconds: float, asked: dict[int, float], health: list[float]) -> None:
    """Moves a waiting job to the front again and again: each is one event."""
    link, sequence = server.link(), 1
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        sequence += 1
        asked[sequence] = now
        link.request("POST", f"/v1/jobs/{job}/front", b"{}", server.headers())
        link.getresponse().read()
        before = time.perf_counter()
        link.request("GET", "/v1/health", headers=server.headers())
        link.getresponse().read()
        health.append(time.perf_counter() - before)
        time.sleep(max(0.0, PACE - (time.perf_counter() - now)))
    link.close()
    time.sleep(1.0)  # for the last to be heard of


async def _listened(
    server: ServerProcess, listeners: int, act: Callable[[], None], asked: dict[int, float]
) -> Sequence[float]:
    """How long after it was asked for each change was heard of, by all listeners, while ``act`` runs in a thread."""
    received: list[tuple[float, bytes]] = []  # read later: the listeners share one processor with what they measure
    ready = asyncio.Semaphore(0)

    async def listen() -> None:
        host, _, port = server.netloc().partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        lines = map(": ".join, server.headers(Host=server.netloc()).items())
        writer.write("\r\n".join(["GET /v1/events HTTP/1.1", *lines, "", ""]).encode())
        await reader.readuntil(b"Maquette")
        ready.release()
        try:
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    received.append((time.perf_counter(), line))
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    tasks = [asyncio.create_task(listen()) for _ in range(listeners)]
    async with asyncio.timeout(READY_SECONDS):
        for _ in range(listeners):
            await ready.acquire()
    await asyncio.to_thread(act)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    numbered = ((arrived, json.loads(line.removeprefix(b"data: "))["sequence"]) for arrived, line in received)
    return [arrived - asked.get(number, arrived) for arrived, number in numbered]


def silent_ms(folder: Path, connections: int) -> float:
    """The longest health while so many connections of strangers come, and say nothing."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, connections + 500), hard))
    slowest, stop = [0.0], threading.Event()
    with at_work(folder / "silence") as server, ExitStack() as stack:
        host, _, port = server.netloc().partition(":")

        def watch() -> None:
            while not stop.is_set():
                began = time.perf_counter()
                server.request("GET", "/v1/health")
                slowest[0] = max(slowest[0], time.perf_counter() - began)

        watching = threading.Thread(target=watch)
        watching.start()
        for _ in range(connections):
            with suppress(OSError):
                stack.enter_context(socket.create_connection((host, int(port)), timeout=5))
        stop.set()
        watching.join()
    return 1000 * slowest[0]
