# SPDX-License-Identifier: MIT
"""Programs that may listen where a server of ours once did, or where somebody typed its address: none is a server."""

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from addon.protocol.answers import VERSION


def http(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _health(**changes: object) -> bytes:
    known = {"version": "9", "contract": VERSION, "device": "", "model": "", "queued": 0, "running": 0}
    return http(json.dumps(known | changes).encode())


STRANGERS: Mapping[str, bytes] = MappingProxyType(
    {
        "closes at once": b"",
        "a page": http(b"<html>hello</html>", headers="Content-Type: text/html\r\n"),
        "a page that is not there": http(b"<html>no</html>", "404 Not Found"),
        "leads elsewhere": http(b"", "302 Found", "Location: http://example.com/\r\n"),
        "other JSON": http(b'{"status": "ok", "models": []}'),
        "a list": http(b"[]"),
        "brackets without end": http(b"[" * 100_000),
        "a number too long to read": http(b"1" * 10_000),
        "no letters": http(b"\xff\xfe\x00"),
        "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
        "a database": b"\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00",
        "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
        "a line without end": b"HTTP/1.1 200 " + b"x" * 200_000,
        "headers without end": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000,
        "no length": b"HTTP/1.1 200 OK\r\n\r\nhello",
        "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        "more than anybody wants": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 5_000_000,
        "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{",
        "an older Maquette": _health(contract=VERSION - 1),
        "a newer Maquette": _health(contract=VERSION + 1),
        "a Maquette with another form of health": _health(running="none"),
        "a Maquette that says more": _health(mood="good"),
        "a Maquette with another token": http(b'{"type": "unauthorised"}', "401 Unauthorized"),
    }
)


@contextmanager
def stranger(answer: bytes | None) -> Iterator[tuple[int, list[bytes]]]:
    """Its port, and what was said to it; None never answers."""
    heard: list[bytes] = []
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            heard.append(self.request.recv(2**16))
            if answer is None:
                over.wait(60.0)
            else:
                self.request.sendall(answer)

        def finish(self) -> None:
            self.request.close()

    class Listener(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever has heard enough hangs up; that is no fault of the test."""

    with Listener(("127.0.0.1", 0), Handler) as listener:
        threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield listener.server_address[1], heard
        finally:
            over.set()
            listener.shutdown()
