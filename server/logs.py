# SPDX-License-Identifier: MIT
"""What the server writes to its log: lines for people, or JSON for programs; never a prompt or a token.

Nothing that a stranger can cause without a token is written more than once a minute.
"""

import json
import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"
MINUTE = 60.0
BY_STRANGERS = (
    "socket.accept() out of system resource",
    "Invalid HTTP request received.",
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
)
LOGGERS = ("asyncio", "uvicorn.error")


def configure(*, as_json: bool) -> None:
    """Has this process log to standard error; as JSON one object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if as_json else logging.Formatter(PLAIN))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


class JsonFormatter(logging.Formatter):
    """``time`` in Unix seconds, ``level``, ``logger``, ``message``; and of an error its type, and where it came from.

    What an error says of itself is left out, for it may quote what was asked for.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        document: dict[str, object] = {
            "time": round(record.created, 3),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            frames = traceback.extract_tb(record.exc_info[2])
            document["error"] = record.exc_info[0].__name__
            document["trace"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(document)


class OncePerMinute(logging.Filter):
    """Lets each of the messages that strangers cause through once a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write it."""
        kind = next((start for start in BY_STRANGERS if record.getMessage().startswith(start)), None)
        now = time.monotonic()
        if kind is None:
            return True
        if now - self._last.get(kind, -MINUTE) < MINUTE:
            return False
        self._last[kind] = now
        return True


@contextmanager
def unflooded() -> Iterator[None]:
    """No stranger fills the log meanwhile."""
    with ExitStack() as stack:
        for name in LOGGERS:
            bound = OncePerMinute()
            logging.getLogger(name).addFilter(bound)
            stack.callback(logging.getLogger(name).removeFilter, bound)
        yield
