# SPDX-License-Identifier: MIT
"""News as server-sent events. The stored log is every listener's mailbox; a signal only says that there is news.

Each listener keeps its own place in the log, so a reconnect resumes after ``Last-Event-ID``, a slow reader never makes
anything grow, and no state change can be dropped.
"""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from addon.protocol.answers import Event
from addon.protocol.strict_json import dump

from ..queue.job_state import OVER
from ..queue.signal import Signal
from ..queue.store import Store

PING_SECONDS = 15.0


async def stream(store: Store, signal: Signal, after: int, job: str | None = None) -> AsyncIterator[str]:
    """Events after that number as text/event-stream, of one job until it is over, or of all until the server stops."""
    with signal.listening():
        yield f"id: {after}\n: Maquette\n\n"  # headers go out at once, and a client that saw nothing knows its place
        async for text in _news(store, signal, after, job):
            yield text


async def _news(store: Store, signal: Signal, after: int, job: str | None) -> AsyncIterator[str]:
    while not signal.closed:
        news = signal.next()
        over = job is not None and (await run_in_threadpool(store.job, job)).state in OVER
        events = await run_in_threadpool(store.events, after, job)
        for event in events:
            after = event.id
            yield _frame(event)
        if over and not events:
            return
        if not events and not await _arrives(news):
            yield ": still here\n\n"


async def _arrives(news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(PING_SECONDS):
            await news.wait()
    except TimeoutError:
        return False
    return True


def _frame(event: Event) -> str:
    return f"id: {event.id}\nevent: {event.kind}\ndata: {json.dumps(dump(event))}\n\n"
