# SPDX-License-Identifier: MIT
"""News as server-sent events. The event log is every listener's mailbox, and each listener keeps its own place in it.

So a reconnect resumes after ``Last-Event-ID``, a slow reader never makes anything grow, and no state change is dropped.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from ..problems import QueueUnavailable, TooManyStreams, UnknownJob
from ..queue.job_state import OVER
from ..queue.signal import Signal
from ..queue.store import Store
from .event_log import EventLog

PING_SECONDS = 15.0
PING = ": still here\n\n"


class EventResponse(StreamingResponse):
    """A stream of events. Whether there is room for one more listener is asked when it begins, and it is counted at
    once: between the two nobody else can come in. Raises TooManyStreams."""

    def __init__(self, signal: Signal, most: int, events: AsyncIterator[str]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-store"}, media_type="text/event-stream")
        self._signal, self._most = signal, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams until the client goes, or there is nothing more to say."""
        if self._signal.listeners >= self._most:
            raise TooManyStreams(f"{self._signal.listeners} clients listen already")
        with self._signal.listening():
            await super().__call__(scope, receive, send)


async def all_events(log: EventLog, after: int) -> AsyncIterator[str]:
    """Events of every job after that number, as text/event-stream, until the server stops."""
    yield _greeting(after)
    with suppress(QueueUnavailable):  # the client comes again, and goes on where this ends
        while not log.closed:
            news = log.next()
            frames = await log.after(after)
            if frames:
                after = frames[-1].id
                yield "".join(frame.text for frame in frames)
            elif not await _arrives(news):
                yield PING


async def events_of(store: Store, log: EventLog, after: int, job: str) -> AsyncIterator[str]:
    """Those of one job until it is over, or forgotten: what is stored of it, and then from the log of all."""
    yield _greeting(after)
    with suppress(QueueUnavailable, UnknownJob):  # forgotten meanwhile: it was over
        over = (await run_in_threadpool(store.job, job)).state in OVER
        position = await run_in_threadpool(store.last_event)
        while frames := await log.of_job(job, after):
            after = frames[-1].id
            yield "".join(frame.text for frame in frames)
        while not over and not log.closed:
            news = log.next()
            frames = await log.after(position)
            if frames:
                position = frames[-1].id
                own = [frame for frame in frames if frame.job == job and frame.id > after]
                yield "".join(frame.text for frame in own)
                over = any(frame.ends for frame in own)
            elif not await _arrives(news):
                yield PING
                over = (await run_in_threadpool(store.job, job)).state in OVER


def _greeting(after: int) -> str:
    """Sends the headers at once, and tells a client that saw nothing its place."""
    return f"id: {after}\n: Maquette\n\n"


async def _arrives(news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(PING_SECONDS):
            await news.wait()
    except TimeoutError:
        return False
    return True
