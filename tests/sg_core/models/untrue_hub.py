# SPDX-License-Identifier: MIT
"""A hub on loopback that breaks off, lies about lengths and changes bytes, as it is told."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

COMMIT = "a" * 40
LARGE = 1000  # bytes from which it keeps a file apart, with its sha256


@dataclass
class UntrueHub:
    """Its ``files``; which requests it had, as (path, first byte); and how it misbehaves.

    ``breaks`` is after how many bytes each answer ends, ``changed`` how many answers have one byte wrong, ``ranges``
    whether it goes on in the middle of a file, ``longer`` and ``shorter`` by how much it misstates lengths.
    """

    files: dict[str, bytes]
    commit: str = COMMIT
    breaks: int = 0
    changed: int = 0
    longer: int = 0
    shorter: int = 0
    more: bytes = b""
    ranges: bool = True
    status: int = 200
    asked: list[tuple[str, int]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)

    def listing(self) -> bytes:
        """What is in the commit."""
        entries = []
        for name, content in self.files.items():
            blob = sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            entry: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": blob}
            if len(content) >= LARGE:
                entry["lfs"] = {"sha256": sha256(content).hexdigest(), "size": len(content)}
            entries.append(entry)
        return json.dumps({"sha": self.commit, "siblings": entries}).encode()


class HubHandler(BaseHTTPRequestHandler):
    """Answers for the hub that its subclass names."""

    hub: ClassVar[UntrueHub]

    def do_GET(self) -> None:
        self.hub.tokens.append(self.headers.get("Authorization"))
        if self.hub.status != 200:
            self.send_error(self.hub.status)
        elif self.path.startswith("/api/"):
            self._send(200, self.hub.listing(), {})
        else:
            self._file(self.path.partition(f"/resolve/{COMMIT}/")[2])

    def _file(self, name: str) -> None:
        hub, content = self.hub, self.hub.files[name] + self.hub.more
        match = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(match[1]) if match and hub.ranges else 0
        hub.asked.append((name, start))
        if start >= len(content):
            self.send_error(416)
            return
        body, headers = bytearray(content[start:]), {}
        if hub.changed:
            hub.changed -= 1
            body[-1] ^= 1
        if match and hub.ranges:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(206 if headers else 200, bytes(body), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        listed = self.path.startswith("/api/")
        self.send_response(status)
        length = len(body) + (0 if listed else self.hub.longer - self.hub.shorter)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if listed or not self.hub.breaks else body[: self.hub.breaks])
        self.close_connection = True

    def log_message(self, *words: object) -> None:
        """Nothing."""


@contextmanager
def hub_of(hub: UntrueHub) -> Iterator[str]:
    """Its address."""
    handler = type("Handler", (HubHandler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
