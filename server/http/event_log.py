# SPDX-License-Identifier: MIT
"""The queue's event log as text for listeners: read and put into words once, however many listen.

One task follows the end of the log and keeps the newest events in memory, from which every listener is served. Whoever
is further behind reads the stored log in chunks, and those who do so at once share the chunks. Both are bounded, so a
slow reader makes nothing grow.
"""

import asyncio
import json
from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import takewhile

from starlette.concurrency import run_in_threadpool

from addon.protocol.answers import Event
from addon.protocol.strict_json import dump

from ..problems import QueueUnavailable
from ..queue.availability import RETRY_SECONDS
from ..queue.job_state import OVER
from ..queue.signal import Signal
from ..queue.store import Store

RECENT = 2_048  # events in memory
CHUNK = 256  # events read at once
PACE = 0.01  # seconds between two looks: what comes faster is read together, and what comes alone at once
CHUNKS = 64  # of the older log that are kept for others who ask


@dataclass(frozen=True)
class EventFrame:
    """One event as text/event-stream; ``ends`` when its job is over with it."""

    id: int
    job: str
    ends: bool
    text: str


class EventLog:
    """What happened in the queue, for all listeners of one event loop."""

    def __init__(self, store: Store, signal: Signal, newest: int = 0) -> None:
        """``newest``: the number of the event after which it begins to keep them in memory."""
        self._store, self._signal = store, signal
        self._recent: deque[EventFrame] = deque(maxlen=RECENT)
        self._complete_after = newest  # what is newer than the event of this number, and is not stale, is in memory
        self._newest = newest
        self._chunks: OrderedDict[int, asyncio.Task[tuple[EventFrame, ...]]] = OrderedDict()
        self._news = asyncio.Event()

    async def follow(self) -> None:
        """Keeps the newest events, until the signal is closed."""
        loop, read = asyncio.get_running_loop(), 0.0
        while True:
            await asyncio.sleep(max(0.0, read + PACE - loop.time()))
            news, read = self._signal.next(), loop.time()
            if self._signal.closed:  # asked after the news is taken: what closes before that never sets it
                break
            try:
                frames = await run_in_threadpool(self._read, self._newest)
            except QueueUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if frames:
                self._extend(frames)
            else:
                await news.wait()
        self._tell()

    @property
    def closed(self) -> bool:
        """Whether nothing will follow."""
        return self._signal.closed

    def next(self) -> asyncio.Event:
        """Set when there is more. Take it *before* asking what there is."""
        return self._news

    async def after(self, number: int) -> tuple[EventFrame, ...]:
        """The next events after that number; none where it is the newest. Of progress, what is stale may be missing.

        Raises QueueUnavailable.
        """
        if number >= self._complete_after:
            newer = takewhile(lambda frame: frame.id > number, reversed(self._recent))
            return tuple(newer)[::-1]
        if number not in self._chunks:
            self._chunks[number] = asyncio.ensure_future(run_in_threadpool(self._read, number))
        chunk = self._chunks[number]
        try:
            frames = await asyncio.shield(chunk)
        except QueueUnavailable:
            self._chunks.pop(number, None)
            raise
        if len(frames) < CHUNK:  # it grows
            self._chunks.pop(number, None)
        while len(self._chunks) > CHUNKS:
            self._chunks.popitem(last=False)
        return frames

    async def of_job(self, job: str, number: int) -> tuple[EventFrame, ...]:
        """What is stored of one job after that number, CHUNK events at most. Raises QueueUnavailable."""
        return await run_in_threadpool(self._read, number, job)

    def _read(self, after: int, job: str | None = None) -> tuple[EventFrame, ...]:
        return tuple(map(_frame, self._store.events(after, job, CHUNK)))

    def _extend(self, frames: tuple[EventFrame, ...]) -> None:
        overflow = len(self._recent) + len(frames) - RECENT
        if overflow > 0:
            self._complete_after = [*self._recent, *frames][overflow - 1].id
        self._recent.extend(frames)
        self._newest = frames[-1].id
        self._tell()

    def _tell(self) -> None:
        current, self._news = self._news, asyncio.Event()
        current.set()


def _frame(event: Event) -> EventFrame:
    ends = event.kind == "state" and event.state in OVER
    return EventFrame(
        event.id, event.job, ends, f"id: {event.id}\nevent: {event.kind}\ndata: {json.dumps(dump(event))}\n\n"
    )
