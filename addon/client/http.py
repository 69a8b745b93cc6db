# SPDX-License-Identifier: GPL-3.0-or-later
"""As much HTTP/1.1 as our server speaks: one request a connection, plain or chunked bodies, server-sent events.

Over asyncio's streams, so that Blender needs no thread and no wheel. Everything read has a cap.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

ANSWER_SECONDS = 30.0
LINE_BYTES = 2**16
HEADER_LINES = 100
EVENT_BYTES = 2**20

LOST = (OSError, EOFError)
"""What a connection that never was, or broke, raises (timeouts are among them)."""


class Malformed(Exception):
    """Bytes that are no answer of our server."""


class Refused(Exception):
    """Any status but 2xx; ``body`` came with it; ``retry_after`` says in how many seconds to ask again."""

    def __init__(self, status: int, body: bytes, retry_after: float | None = None) -> None:
        super().__init__(f"status {status}")
        self.status, self.body, self.retry_after = status, body, retry_after


@dataclass(frozen=True)
class Request:
    """What to ask, and of whom; ``address`` is http://host:port. ``seconds`` are those until an answer begins, where it
    takes longer than others."""

    address: str
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    kind: str = "application/json"
    seconds: float | None = None

    def encoded(self) -> bytes:
        """As it goes over the wire; ``kind`` is the body's."""
        headers = {"Host": urlsplit(self.address).netloc, "Connection": "close", **self.headers}
        if self.body is not None:
            headers |= {"Content-Type": self.kind, "Content-Length": str(len(self.body))}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        # a token of other letters, pasted from somewhere, is a wrong one: the server is the one to say so
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (self.body or b"")


@dataclass
class EventCursor:
    """How far a listener is in the server's log: the number of the ``last`` event that came whole."""

    last: int | None = None

    def header(self) -> dict[str, str]:
        """What makes the server go on after it."""
        return {} if self.last is None else {"Last-Event-ID": str(self.last)}


async def fetch(request: Request, limit: int) -> bytes:
    """The body of a 2xx answer, at most ``limit`` bytes. Raises Refused, Malformed, and one of LOST."""
    async with _exchange(request) as (reader, status, headers):
        body = await _whole(_body(reader, headers), limit)
    if not 200 <= status < 300:
        raise Refused(status, body, _seconds(headers))
    return body


async def listen(request: Request, cursor: EventCursor, silence: float) -> AsyncIterator[str]:
    """The data of each server-sent event; moves ``cursor``. Ends when the server ends the stream.

    Raises Refused, Malformed, and one of LOST, also when nothing came for ``silence`` seconds.
    """
    async with _exchange(request) as (reader, status, headers):
        body = _body(reader, headers)
        if status != 200:
            raise Refused(status, await _whole(body, EVENT_BYTES), _seconds(headers))
        lines = _lines(body)
        data: list[bytes] = []
        number = cursor.last
        async for line in _until_silence(lines, silence):
            name, _, value = line.partition(b":")
            if name == b"id":
                number = _integer(value)
            elif name == b"data":
                data.append(value.removeprefix(b" "))
            elif not line:  # only now is the event whole: one cut off must be sent again
                cursor.last = number
                if data:
                    yield b"\n".join(data).decode(errors="replace")
                data.clear()


@asynccontextmanager
async def _exchange(request: Request) -> AsyncIterator[tuple[asyncio.StreamReader, int, dict[bytes, bytes]]]:
    """The request is sent and the head of its answer read: reader at the body, status, headers in lower case."""
    parts = urlsplit(request.address)
    async with asyncio.timeout(ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, limit=LINE_BYTES)
    try:
        writer.write(request.encoded())
        async with asyncio.timeout(request.seconds or ANSWER_SECONDS):
            await writer.drain()
            status = _status(await _line(reader))
            headers = await _headers(reader)
        yield reader, status, headers
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _headers(reader: asyncio.StreamReader) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for _ in range(HEADER_LINES):
        line = await _line(reader)
        if not line:
            return headers
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    raise Malformed("too many headers")


async def _body(reader: asyncio.StreamReader, headers: Mapping[bytes, bytes]) -> AsyncIterator[bytes]:
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        while size := _integer(await _line(reader), 16):
            yield await reader.readexactly(size)
            await _line(reader)
        return
    remaining = _integer(headers.get(b"content-length", b""))
    while remaining:
        part = await reader.read(min(remaining, LINE_BYTES))
        if not part:
            raise EOFError("the answer was cut off")
        remaining -= len(part)
        yield part


async def _whole(parts: AsyncIterator[bytes], limit: int) -> bytes:
    """All of a body. Raises Malformed for more than ``limit`` bytes, and TimeoutError for one that does not end."""
    body = b""
    async with asyncio.timeout(ANSWER_SECONDS):
        async for part in parts:
            body += part
            if len(body) > limit:
                raise Malformed(f"more than {limit} bytes")
    return body


async def _lines(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a body, without their ends."""
    rest = b""
    async for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > EVENT_BYTES:
            raise Malformed(f"a line of more than {EVENT_BYTES} bytes")
        for line in lines:
            yield line.removesuffix(b"\r")


async def _until_silence(lines: AsyncIterator[bytes], silence: float) -> AsyncIterator[bytes]:
    """The same lines. Raises TimeoutError when none has come for ``silence`` seconds."""
    while True:
        try:
            async with asyncio.timeout(silence):  # wait_for, until Python 3.12, loses a cancellation now and then
                line = await anext(lines)
        except StopAsyncIteration:
            return
        yield line


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise Malformed(f"a line of more than {LINE_BYTES} bytes") from error
    return line.rstrip(b"\r\n")


def _seconds(headers: Mapping[bytes, bytes]) -> float | None:
    """What Retry-After says; nothing of a date, which our server never sends."""
    digits = headers.get(b"retry-after", b"")
    return float(digits) if digits.isdigit() and len(digits) < 6 else None


def _status(line: bytes) -> int:
    words = line.split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/1."):
        raise Malformed("no HTTP/1 status line")
    return _integer(words[1])


def _integer(digits: bytes, base: int = 10) -> int:
    try:
        number = int(digits.strip(), base)
    except ValueError as error:
        raise Malformed(f"{digits[:20]!r} is no number") from error
    if not 0 <= number < 2**40:
        raise Malformed(f"{number} is out of bounds")
    return number
