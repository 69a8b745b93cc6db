# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to the server: dialled, listened to, and dialled again when it is lost. No bpy, no threads."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress

from ..client.api import Client
from ..client.exceptions import ClientError, OnlineAccessOff, ServerAbsent, VersionMismatch, WrongToken
from ..client.resolve import numbered
from ..messages.notice import notice
from ..protocol.answers import Connection, Health
from . import reducer
from .job_tracker import JobTracker
from .state import LinkName, find_task
from .store import SessionStore

REDIAL_SECONDS = 1.0  # between two tries to reach a server
HEALTH_SECONDS = 3.0  # between two questions how a server is
OFFERS = 5  # of them, what it offers is asked for once

LINK_NAMES: dict[type[Exception], LinkName] = {
    ServerAbsent: "absent",
    WrongToken: "refused",
    VersionMismatch: "mismatch",
    OnlineAccessOff: "offline",
}


class ServerWatch:
    """Watches over the server that ``dial`` leads to; ``tracker`` hears which of our jobs has changed."""

    def __init__(self, store: SessionStore, dial: Callable[[], Connection], tracker: JobTracker) -> None:
        self._store = store
        self._dial = dial
        self._tracker = tracker
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Dial again now instead of at the end of the pause."""
        self._nudged.set()

    async def run(self) -> None:
        """Dial, listen, and after REDIAL_SECONDS dial again; for ever."""
        while True:
            try:
                connection = self._dial()
                await self._attend(Client(await numbered(connection)), connection)
            except ClientError as error:
                self._store.apply(reducer.server_lost, link_name(error), notice(error))
                await self._rest(REDIAL_SECONDS)

    async def _attend(self, client: Client, connection: Connection) -> None:
        """Follow a server until it is lost, or another one is to be dialled. Raises what ends it."""
        health = await client.health()
        await self._take(client, health)
        for job in self._store.session.cancelling:
            await self._tracker.cancel_at(client, job)
        endless = (
            self._listen(client),
            self._tracker.fetch_previews(client),
            self._ask_health(client, connection),
        )
        background = [asyncio.create_task(coroutine) for coroutine in endless]
        try:
            ended, _ = await asyncio.wait(background, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
        for task in ended:
            task.result()

    async def _listen(self, client: Client) -> None:
        async with aclosing(client.events()) as events:
            async for event in events:
                self._store.apply(reducer.event_received, event, time.monotonic())
                if event.kind == "state" and find_task(self._store.session, event.job):
                    await self._tracker.refresh(client, event.job)

    async def _take(self, client: Client, health: Health) -> None:
        """Tell the session how the server is, and what it offers now: files may have come or gone."""
        models, adapters = tuple(await client.models()), tuple(await client.adapters())
        self._store.apply(reducer.server_answered, health, models, adapters)

    async def _ask_health(self, client: Client, connection: Connection) -> None:
        """Ask how the server is, and what events may have missed, for as long as it is the one to dial.

        A stream takes half a minute to notice that its server has died; a question, no time at all. What happened
        before the stream was open it never tells, nor that there is room for a picture by now.
        """
        count = 0
        while self._dial() == connection:
            for task in self._store.session.unfetched:
                await self._tracker.refresh(client, task.job.id)
            await self._rest(HEALTH_SECONDS)
            health, link, count = await client.health(), self._store.session.link, count + 1
            if count % OFFERS == 0 or not link.models:
                await self._take(client, health)
            else:
                self._store.apply(reducer.server_answered, health, link.models, link.adapters)

    async def _rest(self, seconds: float) -> None:
        """Wait so long, or until the next nudge."""
        self._nudged.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nudged.wait()


def link_name(error: ClientError) -> LinkName:
    """The state of a link that ended so."""
    return next((name for kind, name in LINK_NAMES.items() if isinstance(error, kind)), "failed")
