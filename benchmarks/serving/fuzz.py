# SPDX-License-Identifier: MIT
"""Requests that are almost right, by the thousand: the server answers each, and never with a bug of its own."""

import copy
import http.client
import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.serving.server_process import ServerProcess, at_work, body

CLIENTS = 4
ROUTES = ("/v1/jobs", "/v1/jobs/{}", "/v1/jobs/{}/cancel", "/v1/jobs/{}/front", "/v1/jobs/{}/replace", "/v1/cancel")
OTHERS = ("/v1/artifacts/{}", "/v1/models", "/v1/health", "/metrics", "/", "/v1/../v1/jobs", "/v2", "//")
NAMES = ("x", "..", "%00", "0" * 64, "%ff", "a" * 5000, "'--", "%2e%2e%2f")
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 0.5, 10**9, 2**31, 2**53, 2**64, 1e308, -1e308, "", " ", "cat", "a" * 3000, "\u202ecat", "\0"),
    *("../../etc/passwd", "\ud83d\ude00", "\r\nX: y", [], [[]], [None], ["shape"] * 9, {}, {"a": 1}, {"": ""}, [0.5]),
)
RAW = (b"NaN", b"Infinity", b"1e400", b"1" + b"0" * 5000, b'"\\ud800"', b"undefined", b"[" * 3000 + b"]" * 3000, b"01")


def fuzzed(folder: Path, count: int, seed: int = 0) -> dict[str, Any]:
    """`{"fuzz", "five_hundreds", "codes"}`: how many requests, and how each status was answered."""
    with at_work(folder / "fuzz", max_kept=200) as server:
        shares = [count // CLIENTS + (client < count % CLIENTS) for client in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            codes: Counter[int] = sum(
                pool.map(_ask, [server] * CLIENTS, shares, range(seed, seed + CLIENTS)), Counter()
            )
        alive = server.process is not None and server.process.poll() is None
        server.request("POST", "/v1/cancel", b'{"scope": "all"}')
    five_hundreds = sum(number for code, number in codes.items() if code >= 500) + (not alive)
    return {"fuzz": codes.total(), "five_hundreds": five_hundreds, "codes": dict(sorted(codes.items()))}


def _ask(server: ServerProcess, count: int, seed: int) -> Counter[int]:
    chance, codes = random.Random(seed), Counter[int]()
    link = server.link()
    for _ in range(count):
        method, path, sent, headers = _request(chance)
        try:
            link.request(method, path, sent, server.headers() | headers)
            answer = link.getresponse()
            answer.read()
            codes[answer.status] += 1
        except (OSError, http.client.HTTPException, ValueError):  # it hung up, or our library sends no such request
            link.close()
            with suppress(OSError):
                link = server.link()
    link.close()
    return codes


def _request(chance: random.Random) -> tuple[str, str, bytes | None, dict[str, str]]:
    """Method, path, body and headers beside the right ones."""
    method, path, sent = "POST", "/v1/jobs", None
    if chance.random() > 0.7:
        method = chance.choice(("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"))
        path = chance.choice(ROUTES + OTHERS).format(chance.choice(NAMES))
    if method == "POST":
        sent = _damaged(chance)
    headers = {}
    if chance.random() < 0.1:
        headers["Idempotency-Key"] = chance.choice(("", "k", "a" * 201, "\xe9"))
    if chance.random() < 0.05:
        headers["Content-Type"] = chance.choice(("text/plain", "application/json; charset=utf-16", "\xff"))
    if chance.random() < 0.05:
        headers["Range"] = chance.choice(("bytes=0-", "bytes=5-2", "bytes=,", "x"))
    return method, path, sent, headers


def _damaged(chance: random.Random) -> bytes:
    """A request for a picture in which something is wrong."""
    document = json.loads(body(chance.randrange(2**31)))
    for _ in range(chance.choice((1, 1, 2, 5))):
        document = _with(document, chance.choice(list(_paths(document))), chance.choice(VALUES))
        if not isinstance(document, dict):
            break
    text = json.dumps(document).encode("utf-8", "surrogatepass")
    kind = chance.random()
    if kind < 0.1 and text:
        spot = chance.randrange(len(text))
        return text[:spot] + bytes([chance.randrange(256)]) + text[spot + 1 :]
    if kind < 0.2:
        return text[: chance.randrange(len(text) + 1)]
    return text.replace(b"0.5", chance.choice(RAW), 1) if kind < 0.3 else text


def _paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield from _paths(value, (*path, key))


def _with(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value there."""
    if not path:
        return value
    changed = copy.deepcopy(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed
