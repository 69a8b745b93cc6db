# SPDX-License-Identifier: GPL-3.0-or-later
"""Blockouts on their way to the server, until it has them or the artist withdraws them. No bpy, no threads."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from ..client.exceptions import ClientError, ServerAbsent, ServerProblem
from ..cooperative import Slices, gradually
from ..messages import sentences
from ..messages.errors import UserError
from ..messages.notice import notice
from ..protocol.answers import Job
from ..protocol.blockout import Blockout
from ..protocol.strict_json import dump
from ..request.settings import DEFAULTS, Settings, files, part
from . import reducer
from .job_tracker import JobTracker
from .seeds import ONE, Seeds, moving, next_unpainted, successor
from .store import SessionStore
from .task import Task, Viewpoint

T = TypeVar("T")

RETRY = 0.5  # seconds after which a server that was lost is asked again


class Submissions:
    """Sends blockouts one after another; ``tracker`` follows the jobs that they become."""

    def __init__(self, store: SessionStore, tracker: JobTracker) -> None:
        self._store = store
        self._tracker = tracker
        self._drafts: set[asyncio.Task[Any]] = set()
        self._withdrawals = 0
        self._turn = asyncio.Lock()

    async def send(
        self, blockout: Slices[Blockout], view: Viewpoint, settings: Settings = DEFAULTS, seeds: Seeds = ONE
    ) -> int | None:
        """Finish a blockout slice by slice and send it, as ``submit`` does."""
        with self._counted():
            with self.draft():
                finished = await gradually(blockout)
            return await self._submit(finished, view, settings, seeds)
        return None

    async def submit(
        self, blockout: Blockout, view: Viewpoint, settings: Settings = DEFAULTS, seeds: Seeds = ONE
    ) -> int | None:
        """Send a blockout, with the ``seeds`` that are meant; the session says what became of it.

        ``settings`` are kept with the task. Answers the seed that comes next; None where nothing was sent.
        """
        with self._counted():
            return await self._submit(blockout, view, settings, seeds)
        return None

    async def queue(self, blockout: Blockout, view: Viewpoint, settings: Settings) -> str:
        """Send a blockout as it is; the job's id. Raises what waiting does not mend."""

        async def post() -> str:
            async with self._turn:
                return await self._post(blockout, view, settings, "")

        return await self._patiently(post)

    async def pinned(self, blockout: Blockout) -> Blockout:
        """The request with the sha256 of every file that it names. Raises what waiting does not mend."""
        return await self._patiently(lambda: self._pinned(blockout))

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What the server answers, once there is one and it is not full."""
        while True:
            await self._store.until(lambda session: session.link.name == "online")
            try:
                return await ask()
            except ServerAbsent:
                await asyncio.sleep(RETRY)  # until the watch has noticed it too
            except ServerProblem as error:
                if error.retry_after is None:
                    raise
                await asyncio.sleep(error.retry_after)

    @contextmanager
    def draft(self) -> Iterator[None]:
        """For as long as this lasts, the coroutine can still be withdrawn: the server has not heard of it."""
        coroutine = asyncio.current_task()
        assert coroutine is not None, "the event loop runs coroutines as tasks"
        self._drafts.add(coroutine)
        try:
            yield
        finally:
            self._drafts.discard(coroutine)

    def withdraw(self) -> None:
        """Let go of everything that has not reached the server."""
        self._withdrawals += 1
        for coroutine in self._drafts:
            coroutine.cancel()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """The session counts it from here on, until it is sent or will not be."""
        self._store.apply(reducer.submission_begun)
        try:
            yield
        except (ClientError, UserError) as error:
            self._store.apply(reducer.notice_changed, notice(error))
        finally:
            self._store.apply(reducer.submission_ended)

    async def _submit(self, blockout: Blockout, view: Viewpoint, settings: Settings, seeds: Seeds) -> int | None:
        """A server that starts is waited for, and whoever sends already: what they ask for is not asked for twice.

        A picture that is withdrawn while it is being sent is cancelled, and those after it are not sent.
        """
        withdrawals = self._withdrawals
        with self.draft():
            await self._store.until(lambda session: session.link.name != "starting")
            await self._turn.acquire()
        try:
            blockout = await self._pinned(blockout)
            painted = seeds.painted(json.dumps(dump(blockout))) if seeds.fixed else ""
            if painted:
                self._store.apply(reducer.notice_changed, sentences.already_painted(painted))
                return None
            request = self._next(blockout, seeds)
            for number in range(seeds.count):
                job = await self._post(request, view, settings, "" if number else seeds.replaced)
                if self._withdrawals > withdrawals:
                    await self._tracker.cancel(job)
                    return None
                request = self._next(successor(request), seeds)
            following: int = getattr(request, moving(request.variation))
            return following
        finally:
            self._turn.release()

    async def _pinned(self, blockout: Blockout) -> Blockout:
        """The request with the sha256 of every file that it names: what it is known by ever after."""
        unnamed = [file for file in files(blockout) if file is not None and not file.sha256]
        return await (await self._tracker.client()).pinned(blockout) if unnamed else blockout

    def _next(self, blockout: Blockout, seeds: Seeds) -> Blockout:
        return next_unpainted(blockout, self._store.session.tasks, seeds.painted)

    async def _post(self, blockout: Blockout, view: Viewpoint, settings: Settings, replaced: str) -> str:
        """Have the server queue one job, perhaps in the place of another; its id. Raises ClientError, ReferenceGone."""
        client, key = await self._tracker.client(), uuid.uuid4().hex
        for picture in blockout.pictures:
            await self._tracker.refer(client, picture)

        async def ask() -> Job:
            return await (client.replace(replaced, blockout, key) if replaced else client.submit(blockout, key))

        try:
            job = await ask()
        except ServerAbsent:
            if self._store.session.link.name != "online":
                raise
            job = await ask()  # it may have been heard: by its key it is the same job
        area, request = blockout.width * blockout.height, json.dumps(dump(blockout))
        settings = replace(settings, **part(blockout, ("seed", "variation", "variation_seed")))
        self._store.apply(
            reducer.job_submitted, Task(job=job, view=view, request=request, area=area, settings=settings)
        )
        await self._tracker.follow(client, job.id)
        return job.id
