# SPDX-License-Identifier: GPL-3.0-or-later
"""A sequence from its first view to its last picture. Changes the session and the sequence's folder alone. No bpy.

A few of its pictures wait at the server at a time, so that what the artist asks for meanwhile is not behind all of
them; views are painted while others are captured.
"""

import asyncio
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...client.exceptions import ClientError
from ...exact.views_capture import ViewsCapture
from ...messages.errors import UserError
from ...messages.notice import notice
from ...protocol.answers import ModelInfo
from ...protocol.blockout import Blockout
from ...protocol.content_key import content_key
from ...protocol.views import CapturedView
from ...request.settings import Settings
from ...session import reducer
from ...session.dispatcher import Dispatcher
from ...session.reducer import failures_dismissed, notice_changed, picture_received
from ...session.sequence import PictureSequence, SequenceFrame
from ...session.state import Session, find_sequence, find_task
from ...session.task import Task
from . import frame_files

AHEAD = 2  # pictures at the server at once: one is painted, the other waits so that it never does


class FrameNotPainted(Exception):
    """Why a frame has no picture, in a sentence."""


@dataclass
class SequencePainter:
    """What one sequence needs: ``follow`` makes of a view what is asked for; ``settings`` are what was set
    for it."""

    dispatcher: Dispatcher
    sequence: PictureSequence
    model: ModelInfo
    settings: Settings
    follow: Callable[[CapturedView], Blockout]
    painted: dict[str, Path] = field(default_factory=dict)
    turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def paint(self, capture: ViewsCapture) -> None:
        """All of the sequence, which the session knows: until it is done, or is to stop. What is painted stays."""
        name, note = self.sequence.id, ""
        work = asyncio.ensure_future(self._paint_all(capture))
        stop = asyncio.ensure_future(self.dispatcher.until(lambda session: _stopping(session, name)))
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
            else:
                note = "Stopped"
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                await self._cancel_jobs()
        except (UserError, ClientError) as error:
            note = error.message
            self.dispatcher.apply(notice_changed, notice(error))
        finally:
            work.cancel()
            stop.cancel()
            await asyncio.gather(work, stop, return_exceptions=True)
            for folder in (capture.folder, self.dispatcher.folder / name):
                shutil.rmtree(folder, ignore_errors=True)
            self.dispatcher.apply(reducer.sequence_ended, name, note)

    async def _cancel_jobs(self) -> None:
        """Nobody waits for what is still at the server."""
        for task in self.dispatcher.session.waiting:
            if task.view.sequence == self.sequence.id:
                await self.dispatcher.cancel(task.job.id)

    async def _paint_all(self, capture: ViewsCapture) -> None:
        self.painted |= frame_files.painted_before(self.sequence.folder.parent)
        waiting: asyncio.Queue[CapturedView | None] = asyncio.Queue(1)
        try:
            async with asyncio.TaskGroup() as tasks, aclosing(capture.captured()) as views:
                for _ in range(AHEAD):
                    tasks.create_task(self._consume(waiting))
                await self._produce(views, waiting)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group

    async def _produce(
        self, views: AsyncGenerator[CapturedView, None], waiting: "asyncio.Queue[CapturedView | None]"
    ) -> None:
        async for view in views:
            self.dispatcher.apply(reducer.view_captured, self.sequence.id)
            await waiting.put(view)
        for _ in range(AHEAD):
            await waiting.put(None)

    async def _consume(self, waiting: "asyncio.Queue[CapturedView | None]") -> None:
        while (view := await waiting.get()) is not None:
            frame = SequenceFrame(camera=view.camera, frame=view.frame)
            try:
                file = await self._painted(view)
            except FrameNotPainted as error:
                frame = replace(frame, trouble=str(error))
            else:
                frame = replace(frame, file=file)
            self.dispatcher.apply(reducer.frame_ended, self.sequence.id, frame)

    async def _painted(self, view: CapturedView) -> str:
        """The file of a view's picture, in the sequence's folder. Raises FrameNotPainted."""
        if view.blockout is None:
            assert view.problem is not None, "a view is one of the two"
            raise FrameNotPainted(f"{view.problem.detail} {view.problem.fix}".strip())
        try:
            file = frame_files.name_of_frame(view.camera, view.frame)
            blockout = await self.dispatcher.pinned(self.follow(view))
            key = content_key(blockout, self.model)
            async with self.turns.setdefault(key, asyncio.Lock()):  # the same picture may be that of many frames
                picture = self.painted.get(key) or await self._fetched(blockout, view)
                self.painted[key] = frame_files.keep(self.sequence.folder, file, picture, key)
        except (UserError, ClientError) as error:
            raise FrameNotPainted(f"{error.message} {error.fix}".strip()) from error
        except OSError as error:
            raise FrameNotPainted(f"{self.sequence.folder} cannot be written: {error.strerror}.") from error
        return file

    async def _fetched(self, blockout: Blockout, view: CapturedView) -> Path:
        """The picture of a blockout, once the server has painted it. Raises FrameNotPainted, ClientError, UserError."""
        origin = replace(self.sequence.view.origin, camera=view.camera)
        at = replace(self.sequence.view, origin=origin, sequence=self.sequence.id, frame=view.frame)
        job = await self.dispatcher.queue(blockout, at, self.settings)
        await self.dispatcher.until(lambda session: _over(session, job))
        task = find_task(self.dispatcher.session, job)
        if task is None:
            raise FrameNotPainted("The server knows nothing of it any more. Paint the sequence again.")
        if task.picture is None:
            self.dispatcher.apply(failures_dismissed, [job])
            problem = task.job.problem
            raise FrameNotPainted(f"{problem.detail} {problem.fix}" if problem else "It was cancelled.")
        self.dispatcher.apply(picture_received, job)
        return task.picture


def _stopping(session: Session, name: str) -> bool:
    sequence = find_sequence(session, name)
    return sequence is None or sequence.stopping


def _over(session: Session, job: str) -> bool:
    task: Task | None = find_task(session, job)
    return task is None or (task.ended and not task.unfetched)
