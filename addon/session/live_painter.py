# SPDX-License-Identifier: GPL-3.0-or-later
"""Has the server paint what Live asks for: the newest request, and it alone. No bpy, no threads.

A request that became stale is superseded: before it was sent it is dropped, while it waits the new one takes its place
in the queue, and while it is painted it is cancelled, which ends it within the step. These jobs are none of the
session's: they are in no list, no history, and not among what a quit Blender still awaits.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..client.api import Client
from ..client.download import download, write
from ..client.exceptions import ClientError, ServerProblem
from ..messages.notice import complaint, notice
from ..protocol.answers import ENDED, Connection, Job
from ..protocol.blockout import Blockout
from ..protocol.strict_json import dump
from . import live_state
from .live_state import LivePicture, LiveRequest, LiveState
from .task import Task

REPLACEABLE = ("not-waiting", "unknown-job")  # codes of a job that could not be replaced, for it waits no more
UNSENT = "unknown-reference"  # and of a picture that the server does not have, or not any more


class LivePainter:
    """What Live has under way on the server that ``connect`` leads to."""

    def __init__(self, connect: Callable[[], Awaitable[Client]]) -> None:
        self.state = LiveState()
        self.exchanging = False  # with the server right now, so that a quick pace is worth its while
        self._connect = connect
        self._turn = asyncio.Lock()
        self._job: Job | None = None  # the latest, as far as is known of it
        self._sent: tuple[Connection, str] | None = None  # which picture to follow a server was sent last

    def apply(self, change: Callable[..., LiveState], *facts: Any) -> None:
        """Change the state by a function of ``live_state``."""
        self.state = change(self.state, *facts)

    @property
    def busy(self) -> bool:
        """Something may change within the next moments."""
        return self.state.painting or self.state.capturing or self.state.first is not None

    async def paint(self, request: LiveRequest, number: int) -> None:
        """Have the request of that number painted, unless a newer one is there before it; the state has its picture, or
        why there is none."""
        try:
            client = await self._connect()
            async with self._turn:
                if number != self.state.number:
                    return
                self.exchanging = True
                request = replace(request, blockout=await client.pinned(request.blockout))
                job = self._job = await self._submit(client, request)
            if not self.state.scene:
                await self.cancel()
            await self._follow(client, job, request, number)
        except ClientError as error:
            self.apply(live_state.failed, number, notice(error))
        finally:
            if number == self.state.number:
                self.exchanging = False

    async def cancel(self) -> None:
        """Have the server stop what it paints, or is about to, for nobody waits for it."""
        job = self._job
        if job is not None and job.state not in ENDED:
            with suppress(ClientError):  # then nobody paints it either, or it is over in a moment
                self._job = await (await self._connect()).cancel(job.id)

    async def _submit(self, client: Client, request: LiveRequest) -> Job:
        """The new job, in the place of the one before. Raises ClientError."""
        reference = request.blockout.reference
        if reference is not None and self._sent != (client.connection, reference.picture):
            await client.refer(request.reference)
            self._sent = client.connection, reference.picture
        try:
            return await self._supersede(client, request.blockout)
        except ServerProblem as error:
            if error.code != UNSENT or not request.reference:
                raise
            await client.refer(request.reference)  # the last job that followed it was forgotten since
            return await self._supersede(client, request.blockout)

    async def _supersede(self, client: Client, blockout: Blockout) -> Job:
        before, key = self._job, uuid.uuid4().hex
        if before is None or before.state in ENDED:
            return await client.submit(blockout, key)
        if before.state == "queued":
            try:
                return await client.replace(before.id, blockout, key)
            except ServerProblem as error:
                if error.code not in REPLACEABLE:
                    raise
        with suppress(ServerProblem):  # another server's by now, or forgotten
            await client.cancel(before.id)
        return await client.submit(blockout, key)

    async def _follow(self, client: Client, job: Job, request: LiveRequest, number: int) -> None:
        """Listen until the job is over, then fetch its picture. Raises ClientError."""
        self.exchanging = False
        async with aclosing(client.events(job=job.id, patient=False)) as events:
            async for event in events:
                if self._job is not None and self._job.id == job.id:
                    self._job = replace(self._job, state=event.state)
        if number != self.state.number:
            return
        self.exchanging = True
        job = await client.job(job.id)
        picture = next((item for item in job.artifacts if item.kind == "picture"), None)
        if job.problem is not None:
            self.apply(live_state.failed, number, complaint(job.problem))
        elif picture is not None:
            png = await download(client, picture)
            self.apply(
                live_state.arrived, number, LivePicture(sha256=picture.sha256, png=png, job=job, request=request)
            )
        else:  # somebody cancelled it
            self.apply(live_state.cancelled, number)


def keep(picture: LivePicture, folder: Path) -> Task:
    """A picture of Live's as one that was asked for, and has come: with its file in the folder, and that of the picture
    that it follows, which may be nowhere else and without which it could not be painted again. Raises PictureUnsaved.
    """
    request, blockout = picture.request, picture.request.blockout
    path = folder / f"{picture.sha256}.png"
    followed = {} if blockout.reference is None else {folder / f"{blockout.reference.picture}.png": request.reference}
    for file, png in {**followed, path: picture.png}.items():
        if png and not file.exists():
            write(file, png)
    area, asked = blockout.width * blockout.height, json.dumps(dump(blockout))
    return Task(job=picture.job, view=request.view, request=asked, area=area, settings=request.settings, picture=path)
