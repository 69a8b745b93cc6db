# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries blockouts to the server and pictures back. Moves the session; never sees a scene. No bpy, no threads.

One coroutine, ``watch``, stays for as long as the add-on is enabled: it dials, listens, and dials again. Everything
else is a short errand. In a window the pump runs them in slices; in the background they run to their end.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..client.api import Client
from ..client.download import fetch
from ..client.errors import (
    ClientError,
    OnlineAccessOff,
    ServerAbsent,
    ServerProblem,
    Spoilt,
    Unkept,
    VersionMismatch,
    WrongToken,
)
from ..client.resolve import numbered
from ..cooperative import Slices, gradually
from ..messages.errors import UserError
from ..messages.notice import notice
from ..protocol.records import Blockout, Connection, Job, ModelInfo
from ..protocol.strict_json import dump
from ..request.settings import DEFAULTS, Settings
from . import state as news
from .seeds import successor, unasked
from .state import Name, Preview, Session
from .task import Task, Viewpoint

PAUSE = 1.0  # seconds between two tries to reach a server
PULSE = 3.0  # seconds between two looks at a server's health


NAMES: dict[type[Exception], Name] = {
    ServerAbsent: "absent",
    WrongToken: "refused",
    VersionMismatch: "mismatch",
    OnlineAccessOff: "offline",
}


class Dispatcher:
    """Everything that goes over the wire for one Blender."""

    def __init__(self, dial: Callable[[], Connection], folder: Path) -> None:
        self.dial = dial
        self.folder = folder
        self.session = Session()
        self._drafts: set[asyncio.Task[Any]] = set()
        self._withdrawals = 0
        self._turn = asyncio.Lock()
        self._moved = asyncio.Event()
        self._nudged = asyncio.Event()

    def move(self, change: Callable[..., Session], *facts: Any) -> None:
        """Change the session, and wake whoever waits for that.

        The session is read here and not by the caller, for whom it may be an old one after an await.
        """
        self.session = change(self.session, *facts)
        self._moved.set()

    def nudge(self) -> None:
        """Dial again now instead of at the end of the pause."""
        self._nudged.set()

    async def until(self, satisfied: Callable[[Session], bool]) -> None:
        """Wait for the session to become so."""
        while not satisfied(self.session):
            self._moved.clear()
            await self._moved.wait()

    async def watch(self) -> None:
        """Dial, listen, and after PAUSE dial again; for ever."""
        while True:
            try:
                where = self.dial()
                await self._attend(Client(await numbered(where)), where)
            except ClientError as error:
                self.move(news.lost, state(error), notice(error))
                await self._rest(PAUSE)

    async def send(
        self, blockout: Slices[Blockout], view: Viewpoint, settings: Settings = DEFAULTS, count: int = 1
    ) -> None:
        """Finish a blockout slice by slice and send it, as ``submit`` does."""
        with self._sending():
            with self.draft():
                finished = await gradually(blockout)
            await self._submit(finished, view, settings, count)

    async def submit(self, blockout: Blockout, view: Viewpoint, settings: Settings = DEFAULTS, count: int = 1) -> None:
        """Send a blockout, with ``count`` seeds from its own on; the session says what became of it.

        ``settings`` are kept with the task.
        """
        with self._sending():
            await self._submit(blockout, view, settings, count)

    @contextmanager
    def draft(self) -> Iterator[None]:
        """For as long as this lasts, the errand can still be withdrawn: the server has not heard of it."""
        errand = asyncio.current_task()
        assert errand is not None, "errands are tasks"
        self._drafts.add(errand)
        try:
            yield
        finally:
            self._drafts.discard(errand)

    def withdraw(self) -> None:
        """Let go of everything that has not reached the server."""
        self._withdrawals += 1
        for errand in self._drafts:
            errand.cancel()

    @contextmanager
    def _sending(self) -> Iterator[None]:
        """Counted from here on, until it is sent or will not be."""
        self.move(news.sending)
        try:
            yield
        except (ClientError, UserError) as error:
            self.move(news.noticed, notice(error))
        finally:
            self.move(news.sent)

    async def _submit(self, blockout: Blockout, view: Viewpoint, settings: Settings, count: int) -> None:
        """A server that starts is waited for, and whoever sends already: what they ask for is not asked for twice.

        A picture that is withdrawn while it is being sent is cancelled, and those after it are not sent.
        """
        withdrawals = self._withdrawals
        with self.draft():
            await self.until(lambda session: session.link.name != "starting")
            await self._turn.acquire()
        try:
            for _ in range(count):
                asked = unasked(blockout, self.session.waiting)
                job = await self._post(asked, view, settings)
                if self._withdrawals > withdrawals:
                    await self.cancel(job)
                    return
                blockout = successor(asked)
        finally:
            self._turn.release()

    async def _post(self, blockout: Blockout, view: Viewpoint, settings: Settings) -> str:
        client, key = await self._client(), uuid.uuid4().hex
        try:
            job = await client.submit(blockout, key)
        except ServerAbsent:
            if self.session.link.name != "online":
                raise
            job = await client.submit(blockout, key)  # it may have been heard: by its key it is the same job
        area, request = blockout.width * blockout.height, json.dumps(dump(blockout))
        settings = replace(settings, seed=blockout.seed)
        self.move(news.submitted, Task(job=job, view=view, request=request, area=area, settings=settings))
        await self._follow(client, job.id)
        return job.id

    async def deliver(self, blockout: Blockout, view: Viewpoint, settings: Settings = DEFAULTS, count: int = 1) -> None:
        """Send a blockout and wait for its end, or for the server's: the whole way in the background.

        A link that broke is no end yet; one that the next dial does not mend is.
        """
        await self.until(lambda session: session.link.name != "connecting")
        await self.submit(blockout, view, settings, count)
        while self.session.unfetched and not self.session.unkept and await self._reached():
            await self.until(lambda now: not now.unfetched or now.link.name != "online" or now.unkept)

    async def _reached(self) -> bool:
        """Whether there is a server, dialling once more if it was lost."""
        link = self.session.link
        if link.name not in ("online", "died"):
            self.nudge()
            await self.until(lambda now: now.link is not link)
        return self.session.link.name == "online"

    async def cancel(self, job: str) -> None:
        """Ask the server to stop a job; it does so within one step. Where none answers, the next to be met is asked."""
        self.move(news.asked_to_cancel, job)
        with suppress(ClientError):  # the watch is the one to say so
            await self._cancel(await self._client(), job)

    async def settle(self, seconds: float) -> None:
        """Wait until the server has heard all that it was told so far. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self.until(lambda now: now.link.name != "online" or not (now.sending or now.cancelling))

    async def _client(self) -> Client:
        return Client(await numbered(self.dial()))

    async def _cancel(self, client: Client, job: str) -> None:
        try:
            await self._record(client, await client.cancel(job))
        except ServerProblem as error:
            self.move(news.disowned if error.code == "unknown-job" else news.uncancelled, job, notice(error))

    async def _attend(self, client: Client, where: Connection) -> None:
        """Follow a server until it is lost, or another one is to be dialled. Raises what ends it."""
        health, models = await client.health(), tuple(await client.models())
        self.move(news.met, health, models)
        for job in self.session.cancelling:
            await self._cancel(client, job)
        endless = self._listen(client), self._develop(client), self._feel_pulse(client, where, models)
        errands = [asyncio.create_task(errand) for errand in endless]
        try:
            done, _ = await asyncio.wait(errands, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for errand in errands:
                errand.cancel()
            await asyncio.gather(*errands, return_exceptions=True)
        for errand in done:
            errand.result()

    async def _develop(self, client: Client) -> None:
        """Fetch previews, the newest there is and one at a time: those in between are never asked for."""
        while True:
            await self.until(lambda session: session.undeveloped is not None)
            task = self.session.undeveloped
            if task is not None and task.sketch is not None:
                sketch, png = task.sketch, b""
                with suppress(ServerProblem):  # a newer one has taken its place already
                    png = await client.artifact(sketch.sha256)
                self.move(news.previewed, Preview(job=task.job.id, sha256=sketch.sha256, png=png))

    async def _listen(self, client: Client) -> None:
        async with aclosing(client.events()) as events:
            async for event in events:
                self.move(news.heard, event, time.monotonic())
                if event.kind == "state" and news.find(self.session, event.job):
                    await self._refresh(client, event.job)

    async def _feel_pulse(self, client: Client, where: Connection, models: tuple[ModelInfo, ...]) -> None:
        """Ask how the server is, and what events may not have told, for as long as it is the one to dial.

        A stream takes half a minute to notice that its server has died; a question, no time at all. What happened
        before the stream was open it never tells, nor that there is room for a picture by now.
        """
        while self.dial() == where:
            for task in self.session.unfetched:
                await self._refresh(client, task.job.id)
            await self._rest(PULSE)
            self.move(news.met, await client.health(), models)

    async def _follow(self, client: Client, job: str) -> None:
        """Look a new job up: it may have ended before the session knew to listen for it."""
        with suppress(ClientError):  # the watch is the one to say so
            await self._refresh(client, job)

    async def _refresh(self, client: Client, job: str) -> None:
        try:
            await self._record(client, await client.job(job))
        except ServerProblem as error:
            if error.code != "unknown-job":
                raise
            self.move(news.disowned, job, notice(error))

    async def _record(self, client: Client, job: Job) -> None:
        self.move(news.recorded, job, time.monotonic())
        picture = next((item for item in job.artifacts if item.kind == "picture"), None)
        if picture is None:
            return
        try:
            self.move(news.fetched, job.id, await fetch(client, picture, self.folder))
        except Unkept as error:  # the server is well; the next pulse tries again
            self.move(news.noticed, notice(error))
        except Spoilt as error:
            self.move(news.disowned, job.id, notice(error))

    async def _rest(self, seconds: float) -> None:
        self._nudged.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nudged.wait()


def state(error: ClientError) -> Name:
    """The state of a link that ended so."""
    return next((name for kind, name in NAMES.items() if isinstance(error, kind)), "failed")
