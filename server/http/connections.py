# SPDX-License-Identifier: MIT
"""What a connection may cost before anybody knows whose it is.

Any process of this machine can open sockets and say nothing, or a byte now and then. A request has a deadline, so many
connections may be open at once, and where there is no room for a new one, the oldest that has not yet said what it
wants is closed: whoever asks at once is answered, however many others are silent.
"""

import asyncio
import logging
import socket
import sys
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

if sys.platform != "win32":
    import resource  # here, for at the limit no module can be opened

REQUEST_SECONDS = 10.0  # from the opening of a connection, or the end of an answer, to the end of the next head
BODY_SECONDS = 60.0  # from the end of a head to the end of its body, for who may ask; others are hung up on
UNREAD_SECONDS = 60.0  # that a client may leave its answer unread
SPARE_FILES = 128  # of those that the system lets us open: the queue, pictures, pipes, and what is accepted at once

log = logging.getLogger(__name__)


def affordable_connections(most: int) -> int:
    """How many of ``most`` may be open at once, of the descriptors that this process may have."""
    if sys.platform == "win32":
        return most
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if soft == resource.RLIM_INFINITY else max(8, min(most, soft - SPARE_FILES))


class BoundedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, with deadlines and without Nagle's algorithm, which would hold answers back for 40 ms."""

    def __init__(self, *, most: int, **named: Any) -> None:
        """``most``: connections of all clients; the rest is uvicorn's."""
        super().__init__(**named)
        self._most = most
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Lets a connection in, at the cost of the oldest that still owes its request."""
        super().connection_made(transport)
        with suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._expect(REQUEST_SECONDS)
        if len(self.connections) > affordable_connections(self._most):
            others = [other for other in self.connections if isinstance(other, BoundedProtocol) and other._deadline]
            min(others, key=BoundedProtocol.waiting_since).hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the timers with it."""
        super().connection_lost(exc)
        self._expect(None)
        self._read()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request. Whatever is not yet a whole one keeps its deadline, however often a byte comes."""
        before = self.cycle
        super().data_received(data)
        self._follow(before)

    def on_response_complete(self) -> None:
        """Waits for the next request; the rest of one that was answered before it came whole has as long."""
        before = self.cycle
        super().on_response_complete()
        if not self.transport.is_closing():
            self._expect(REQUEST_SECONDS)
            if self.cycle is not before:  # pipelined
                self._follow(before)

    def pause_writing(self) -> None:
        """The client does not read; for a while that is its own business."""
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.hang_up)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self._read()

    def waiting_since(self) -> float:
        """When the request that is still owed will be overdue, on the loop's clock."""
        assert self._deadline is not None
        return self._deadline.when()

    def hang_up(self) -> None:
        """Ends the connection without a word."""
        self.connections.discard(self)
        self._expect(None)
        self.transport.abort()

    def _follow(self, before: RequestResponseCycle | None) -> None:
        """Sets the deadline of a request that goes on, or is whole, where another went on ``before``."""
        if self.cycle is None or self.cycle.response_complete:
            return
        if not self.cycle.more_body:
            self._expect(None)
        elif self.cycle is not before:
            self._expect(BODY_SECONDS)

    def _expect(self, seconds: float | None) -> None:
        """A whole request within so many seconds; None: none is owed."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self.hang_up)

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
        self._unread = None
