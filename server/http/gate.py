# SPDX-License-Identifier: MIT
"""The one door. Nothing behind it answers without the token, to a web page, or to a name that is not loopback's.

Browsers reach loopback too: a page can post to it (Origin, Sec-Fetch-* betray it; ``Origin: null`` as well), and DNS
rebinding makes a page's own name resolve to it (Host betrays that). Our clients send neither, so the presence of a
browser's header is refused, whatever it says.
"""

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import Browser, ForeignHost, Refusal, TooLarge, Unauthorised
from .error_responses import problem_response

REFERENCES = "/v1/references"
PICTURE = 64 * 2**20  # bytes of a picture to follow, whose size nobody's masks decide
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Gate:
    """ASGI middleware: body cap, Host, browser headers, bearer token; in that order, for every path and method."""

    def __init__(self, app: ASGIApp, *, token: str, max_body: int) -> None:
        self.app, self.max_body = app, max_body
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it with a problem document."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        try:
            self._check(Headers(scope=scope), scope["path"])
        except Refusal as refusal:
            await problem_response(refusal)(scope, receive, send)
            return
        await self.app(scope, self._capped(receive, scope["path"]), send)

    def _room(self, path: str) -> int:
        """Bytes of a body."""
        return PICTURE if path == REFERENCES else self.max_body

    def _check(self, headers: Headers, path: str) -> None:
        if int(_digits(headers.get("content-length", "0"))) > self._room(path):
            raise _too_large(path, self._room(path))
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _name(hosts[0]) not in LOOPBACK:
            raise ForeignHost("The Host header must name 127.0.0.1, localhost or [::1]")
        if any(name == "origin" or name.startswith("sec-fetch-") for name in headers):
            raise Browser("Origin and Sec-Fetch headers are not accepted")
        tokens = headers.getlist("authorization")
        if len(tokens) != 1 or not hmac.compare_digest(tokens[0].encode("latin-1"), self._expected):
            raise Unauthorised("Send the header Authorization: Bearer TOKEN", headers={"WWW-Authenticate": "Bearer"})

    def _capped(self, receive: Receive, path: str) -> Receive:
        """A body without Content-Length is counted as it comes."""
        room = self._room(path)

        async def counted() -> Message:
            nonlocal room
            message = await receive()
            room -= len(message.get("body", b""))
            if room < 0:
                raise _too_large(path, self._room(path))
            return message

        return counted


def _too_large(path: str, room: int) -> TooLarge:
    fix = "Send a picture of fewer pixels: it is brought to the size of the one that follows it." * (path == REFERENCES)
    return TooLarge(f"The body may have {room} bytes", fix=fix)


def _digits(length: str) -> str:
    return length if length.isascii() and length.isdigit() and len(length) < 16 else "9" * 16


def _name(host: str) -> str:
    """The host without its port, in lower case; an IPv6 address keeps its brackets."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()
