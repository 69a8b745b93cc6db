# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries blockouts to the server and pictures back. Changes the session; never sees a scene. No bpy, no threads.

Three parts share one store: the watch over the server, which runs for as long as the add-on is enabled; submissions;
and the tracker of the jobs that they become. In a window the event loop runs their coroutines in slices; in the
background it runs them to their end.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ..cooperative import Slices
from ..protocol.answers import Connection
from ..protocol.blockout import Blockout
from ..request.settings import DEFAULTS, Settings
from .job_tracker import JobTracker
from .seeds import ONE, Seeds
from .state import Session
from .store import SessionStore
from .submission import Submissions
from .task import Viewpoint
from .watch import ServerWatch


class Dispatcher:
    """Everything that goes over the wire for one Blender; ``folder`` holds the pictures that came."""

    def __init__(self, dial: Callable[[], Connection], folder: Path) -> None:
        self.folder = folder
        self._store = SessionStore()
        self.tracker = JobTracker(self._store, dial, folder)
        self._submissions = Submissions(self._store, self.tracker)
        self._watch = ServerWatch(self._store, dial, self.tracker)

    @property
    def session(self) -> Session:
        """What is known of the server and of our jobs now."""
        return self._store.session

    def apply(self, change: Callable[..., Session], *facts: Any) -> None:
        """Change the session by a function of the reducer, and wake whoever waits for that."""
        self._store.apply(change, *facts)

    async def until(self, satisfied: Callable[[Session], bool]) -> None:
        """Wait for the session to become so."""
        await self._store.until(satisfied)

    async def until_answer(self) -> None:
        """Wait until it is known whether there is a server, and so which models it has."""
        await self.until(lambda session: not session.link.pending)

    async def watch(self) -> None:
        """Dial the server, listen to it, and dial again; for ever."""
        await self._watch.run()

    def nudge(self) -> None:
        """Dial again now instead of at the end of the pause."""
        self._watch.nudge()

    async def send(
        self, blockout: Slices[Blockout], view: Viewpoint, settings: Settings = DEFAULTS, seeds: Seeds = ONE
    ) -> int | None:
        """Finish a blockout slice by slice and send it, as ``submit`` does."""
        return await self._submissions.send(blockout, view, settings, seeds)

    async def submit(
        self, blockout: Blockout, view: Viewpoint, settings: Settings = DEFAULTS, seeds: Seeds = ONE
    ) -> int | None:
        """Send a blockout, with the ``seeds`` that are meant; the session says what became of it.

        ``settings`` are kept with the task. Answers the seed that comes next; None where nothing was sent.
        """
        return await self._submissions.submit(blockout, view, settings, seeds)

    async def queue(self, blockout: Blockout, view: Viewpoint, settings: Settings = DEFAULTS) -> str:
        """Send a blockout just as it is, be its picture there or on its way, and say nothing of it; the job's id.

        A server that is away is waited for, and one that is full for as long as it says. Raises ClientError,
        UserError.
        """
        return await self._submissions.queue(blockout, view, settings)

    async def pinned(self, blockout: Blockout) -> Blockout:
        """The request with the sha256 of every file that it names, which the server knows. Raises ClientError."""
        return await self._submissions.pinned(blockout)

    def draft(self) -> AbstractContextManager[None]:
        """For as long as this lasts, the coroutine can still be withdrawn: the server has not heard of it."""
        return self._submissions.draft()

    def withdraw(self) -> None:
        """Let go of everything that has not reached the server."""
        self._submissions.withdraw()

    async def deliver(
        self, blockout: Blockout, view: Viewpoint, settings: Settings = DEFAULTS, seeds: Seeds = ONE
    ) -> int | None:
        """Send a blockout and wait for its end, or for the server's: the whole way in the background.

        A link that broke is no end yet; one that the next dial does not mend is.
        """
        await self.until_answer()
        following = await self.submit(blockout, view, settings, seeds)
        while self.session.unfetched and not self.session.picture_unsaved and await self._reached():
            await self.until(lambda now: not now.unfetched or now.link.name != "online" or now.picture_unsaved)
        return following

    async def _reached(self) -> bool:
        """Whether there is a server, dialling once more if it was lost."""
        link = self.session.link
        if link.name not in ("online", "died"):
            self.nudge()
            await self.until(lambda now: now.link is not link)
        return self.session.link.name == "online"

    async def cancel(self, job: str) -> None:
        """Ask the server to stop a job; it does so within one step. Where none answers, the next to be met is asked."""
        await self.tracker.cancel(job)

    async def move_to_front(self, job: str) -> None:
        """Ask the server to paint a job next that waits."""
        await self.tracker.move_to_front(job)

    async def settle(self, seconds: float) -> None:
        """Wait until the server has heard all that was sent to it so far. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self.until(lambda now: now.link.name != "online" or not (now.submissions or now.cancelling))
            await self.until(lambda now: not any(sequence.stopping for sequence in now.running_sequences))
