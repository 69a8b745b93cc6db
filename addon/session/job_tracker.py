# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of our jobs: the server's record of each, its preview and its picture, and their cancelling. No bpy."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..client.api import Client
from ..client.download import fetch
from ..client.exceptions import ClientError, PictureDamaged, PictureUnsaved, ServerProblem
from ..client.resolve import numbered
from ..messages.errors import ReferenceGone
from ..messages.notice import notice
from ..protocol.answers import Connection, Job
from . import reducer
from .state import Preview, find_task
from .store import SessionStore


class JobTracker:
    """Asks the server that ``dial`` leads to about jobs; records the answers, and keeps pictures in ``folder``, a
    sequence's in a folder there of its own: they are none of the history."""

    def __init__(self, store: SessionStore, dial: Callable[[], Connection], folder: Path) -> None:
        self._store = store
        self._dial = dial
        self._folder = folder

    async def client(self) -> Client:
        """A client of the server to ask now. Raises ClientError where there is none."""
        return Client(await numbered(self._dial()))

    async def follow(self, client: Client, job: str) -> None:
        """Look a new job up: it may have ended before the session knew to listen for it."""
        with suppress(ClientError):  # the watch is the one to say so
            await self.refresh(client, job)

    async def refresh(self, client: Client, job: str) -> None:
        """Take over the server's record of a job; one that it does not know is forgotten."""
        try:
            await self.record(client, await client.job(job))
        except ServerProblem as error:
            if error.code != "unknown-job":
                raise
            self._store.apply(reducer.job_forgotten, job, notice(error))

    async def record(self, client: Client, job: Job) -> None:
        """Take over the server's record of a job, and fetch its picture once there is one."""
        self._store.apply(reducer.job_recorded, job, time.monotonic())
        picture = next((item for item in job.artifacts if item.kind == "picture"), None)
        if picture is None:
            return
        task = find_task(self._store.session, job.id)
        folder = self._folder / task.view.sequence if task is not None else self._folder
        try:
            self._store.apply(reducer.picture_fetched, job.id, await fetch(client, picture, folder))
        except PictureUnsaved as error:  # the server is well; the next time its health is asked for tries again
            self._store.apply(reducer.notice_changed, notice(error))
        except PictureDamaged as error:
            self._store.apply(reducer.job_forgotten, job.id, notice(error))

    async def refer(self, client: Client, picture: str) -> None:
        """Send the server a picture that a job follows, by its sha256. Raises ReferenceGone, ClientError."""
        try:
            png = (self._folder / f"{picture}.png").read_bytes()
        except OSError as error:
            raise ReferenceGone() from error
        await client.refer(png)

    async def fetch_previews(self, client: Client) -> None:
        """Fetch previews, the newest there is and one at a time: those in between are never asked for. Never ends."""
        while True:
            await self._store.until(lambda session: session.preview_due is not None)
            task = self._store.session.preview_due
            if task is not None and task.preview is not None:
                artifact, png = task.preview, b""
                with suppress(ServerProblem):  # a newer one has replaced it already
                    png = await client.artifact(artifact.sha256)
                self._store.apply(reducer.preview_fetched, Preview(job=task.job.id, sha256=artifact.sha256, png=png))

    async def move_to_front(self, job: str) -> None:
        """Ask the server to paint a job next that waits; the session says why not, where it does not."""
        try:
            client = await self.client()
            await self.record(client, await client.move_to_front(job))
        except ClientError as error:
            self._store.apply(reducer.notice_changed, notice(error))

    async def cancel(self, job: str) -> None:
        """Ask the server to stop a job; it does so within one step. Where none answers, the next to be met is asked."""
        self._store.apply(reducer.cancel_requested, job)
        with suppress(ClientError):  # the watch is the one to say so
            await self.cancel_at(await self.client(), job)

    async def cancel_at(self, client: Client, job: str) -> None:
        """Ask that server to stop a job. Raises ClientError unless it answers, be it with a refusal."""
        try:
            await self.record(client, await client.cancel(job))
        except ServerProblem as error:
            change = reducer.job_forgotten if error.code == "unknown-job" else reducer.cancel_refused
            self._store.apply(change, job, notice(error))
