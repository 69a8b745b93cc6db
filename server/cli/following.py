# SPDX-License-Identifier: MIT
"""A server that is followed: through a restart, to another port, with another token. A job is asked for by its key."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from operator import methodcaller
from typing import Any, NoReturn, TypeVar

from addon.client.api import Client, connect
from addon.client.exceptions import ClientError, ServerAbsent, ServerProblem, WrongToken
from addon.protocol.answers import ENDED, STARTING, Achieved, Connection, Event, Health, Job, ModelInfo
from addon.protocol.blockout import Blockout

from ..errors import CommandError

T = TypeVar("T")

PREFETCH = 2  # pictures at the server beside those in hand, so that no worker waits for one
PATIENCE = 300.0  # seconds without a server
PAUSES = (0.25, 4.0)
FAREWELL_SECONDS = 1.0  # for cancelling, when somebody waits for the command to end
UNKNOWN_REFERENCE = "unknown-reference"  # of one that never had them, or has tidied up
STARTS = 3  # of a server, that a request waits through; more are its fault
GONE = ("unknown-job", "unknown-artifact")  # of a server that has another queue, or has tidied up


class ServerLost(CommandError):
    """No server came back in time."""

    exit_code = 3


class NotPainted(CommandError):
    """A job that ended without a picture, and why."""


@dataclass(frozen=True)
class PaintedPicture:
    """A picture as PNG, the id of the job that painted it, and what it shows."""

    png: bytes
    job: str
    achieved: tuple[Achieved, ...] = ()


@dataclass
class ServerLink:
    """The way to a server. ``find`` says where it is by now, None of one that nobody starts anew.

    ``waiting`` hears why nothing goes on, and "" once it does. ``ahead`` pictures are at the server at once.
    """

    client: Client
    find: Callable[[], Connection] | None = None
    patience: float = PATIENCE
    waiting: Callable[[str], None] = lambda reason: None
    ahead: int = 1 + PREFETCH

    def on_waiting(self, hear: Callable[[str], None]) -> None:
        """Have ``hear`` told why nothing goes on, and "" once it does."""
        self.waiting = hear

    async def models(self) -> Sequence[ModelInfo]:
        """The models on offer, the usual one first. Raises ServerLost, ClientError.

        In what precision they are computed is part of a picture's key, and only a worker that has started can say it:
        one is waited for, ``patience`` seconds at most.
        """
        end = time.monotonic() + self.patience
        while _is_starting(health := await self.call(Client.health)) and time.monotonic() < end:
            self.waiting("The server is starting")
            await asyncio.sleep(PAUSES[0])
        self.waiting("")
        self.ahead = max(1, len(health.workers)) + PREFETCH
        return await self.call(Client.models)

    async def pinned(self, blockout: Blockout) -> Blockout:
        """The request with the sha256 of every file that it names. Raises ServerLost, ClientError."""
        return await self.call(lambda client: client.pinned(blockout))

    async def picture_of(
        self, blockout: Blockout, key: str, watch: Callable[[int], None], references: Sequence[bytes] = ()
    ) -> PaintedPicture:
        """As ``painted``, of a blockout that refers to the PNG files ``references``."""
        return await painted(self, blockout, key, lambda event: watch(event.step), references)

    async def call(self, ask: Callable[[Client], Awaitable[T]]) -> T:
        """What the server answers, whenever it does. Waits while it is away, and as long as it asks to be left alone.

        Raises ServerLost when it stays away for ``patience`` seconds, and ClientError for what waiting does not mend.
        """
        while True:
            client = self.client
            try:
                return await ask(client)
            except ServerProblem as error:
                if error.retry_after is None:
                    raise
                self.waiting(error.message)
                await asyncio.sleep(error.retry_after)
                self.waiting("")
            except (ServerAbsent, WrongToken) as error:
                await self._come_back(client, error)

    async def _come_back(self, lost: Client, error: ClientError) -> None:
        """Until a server answers: where its connection file now says, or again at its address."""
        end, (pause, longest) = time.monotonic() + self.patience, PAUSES
        self.waiting(error.message)
        while self.client is lost:  # another task may have been quicker
            if self.find is None or time.monotonic() > end:
                waited = "" if self.find is None else f", for {self.patience:.0f} seconds"
                raise ServerLost(f"{error.message}{waited}. {error.fix}") from error
            with suppress(ServerAbsent, WrongToken):
                self.client = await connect(self.find())
                break
            await asyncio.sleep(pause)
            pause = min(longest, 2 * pause)
        self.waiting("")


async def painted(
    link: ServerLink,
    blockout: Blockout,
    key: str,
    watch: Callable[[Event], None] = lambda event: None,
    references: Sequence[bytes] = (),
) -> PaintedPicture:
    """The picture of a blockout: that of the job with this ``key``, whoever asked for it, else a new one's.

    ``references`` are the PNG files that it refers to: a server that lacks them is sent them, also one that starts anew
    meanwhile. A job of an earlier try that was cancelled, failed, or has lost its picture is not taken: the next has a
    key with a number. Interrupted, it cancels what it asked for. Raises NotPainted, ServerLost, ClientError.
    """
    for turn in count():
        name = f"{key}.{turn}" if turn else key
        submitted = partial(_submitted, link, blockout, name, references)
        job = await submitted()
        if job.state in ENDED and job.state != "done":
            continue
        try:
            job = await _while_able(link, _ended(link, job, watch, submitted))
        except asyncio.CancelledError:
            await _cancel(link, job.id)
            raise
        if (problem := job.problem) is not None:
            raise NotPainted(f"{problem.title}: {problem.detail} {problem.fix}".strip())
        digests = [artifact.sha256 for artifact in job.artifacts if artifact.kind == "picture"]
        if not digests:
            raise NotPainted(f"The job ended {job.state}, without a picture")
        with suppress(ServerProblem):  # it has tidied up: paint anew
            return PaintedPicture(await link.call(methodcaller("artifact", digests[0])), job.id, job.achieved)
    raise AssertionError("count never ends")


async def _while_able(link: ServerLink, ending: Coroutine[Any, Any, Job]) -> Job:
    """A job once it is over. Raises ServerLost where no worker can work for ``patience`` seconds."""
    job, unable = asyncio.ensure_future(ending), asyncio.ensure_future(_unable(link))
    try:
        await asyncio.wait((job, unable), return_when=asyncio.FIRST_COMPLETED)
        return job.result() if job.done() else unable.result()
    finally:
        for task in (job, unable):
            task.cancel()
        await asyncio.gather(job, unable, return_exceptions=True)


async def _unable(link: ServerLink) -> NoReturn:
    """Waits until no worker has been able to work for ``patience`` seconds, and says meanwhile why; raises
    ServerLost."""
    end = math.inf
    while True:
        await asyncio.sleep(min(PAUSES[1], max(PAUSES[0], end - time.monotonic())))
        trouble = (await link.call(Client.health)).trouble
        if not trouble and end < math.inf:
            link.waiting("")
        end = min(end, time.monotonic() + link.patience) if trouble else math.inf
        if time.monotonic() >= end:
            raise ServerLost(f"{trouble}, for {link.patience:.0f} seconds. Mend that, and start the server again")
        if trouble:
            link.waiting(trouble)


async def _ended(
    link: ServerLink, job: Job, watch: Callable[[Event], None], submitted: Callable[[], Awaitable[Job]]
) -> Job:
    """A job once it is over; ``submitted`` asks for it anew, by its key."""
    while True:
        try:
            async for event in link.client.events(job=job.id, patient=False):
                watch(event)
            ended: Job = await link.call(methodcaller("job", job.id))
            return ended
        except (ServerAbsent, WrongToken):
            job = await submitted()  # wherever the server is by now
        except ServerProblem as error:
            if error.code not in GONE and error.retry_after is None:
                raise
            await asyncio.sleep(error.retry_after or 0.0)
            job = await submitted()


async def _submitted(link: ServerLink, blockout: Blockout, key: str, references: Sequence[bytes]) -> Job:
    """The job of a key. Interrupted while the server may just have taken it, it cancels it."""

    def ask(client: Client) -> Awaitable[Job]:
        return _whole(client, blockout, key)

    for starts in count():
        try:
            return await link.call(ask)
        except ServerProblem as error:
            if error.code != UNKNOWN_REFERENCE or not references or starts == STARTS:
                raise
        for png in references:  # only now: most are there, of the picture before
            await link.call(methodcaller("refer", png))
    raise AssertionError("count never ends")


async def _whole(client: Client, blockout: Blockout, key: str) -> Job:
    asking = asyncio.ensure_future(client.submit(blockout, key))
    try:
        return await asyncio.shield(asking)
    except asyncio.CancelledError:
        with suppress(ClientError, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await client.cancel((await asking).id)
        raise


async def _cancel(link: ServerLink, job: str) -> None:
    with suppress(ClientError, TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            await link.client.cancel(job)


def _is_starting(health: Health) -> bool:
    """Whether no worker has said yet what it computes on, and one may."""
    return not health.trouble and all(worker.device == STARTING for worker in health.workers or (health,))
