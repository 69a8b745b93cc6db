# SPDX-License-Identifier: MIT
"""Keeps one worker alive, on one device. The queue file is all that server and worker share; their pipes only say that
there is news.

A claim lasts as long as the worker lives: when it dies, or says nothing for ``patience`` seconds with a job in hand,
the job waits again (once) and a new worker starts. What an earlier server left in hand waits again too, and is not
blamed for it. A worker that still has a job in hand ``grace`` seconds after it was cancelled is ended: others wait for
the device. Closing a worker's standard input asks it to leave, and that happens by itself when the server dies.

A worker that dies of a job is followed at once, for the job is to blame and fails the second time; one that dies with
nothing in hand dies of something else, and the next ones wait longer and longer.
"""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal

from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from ..problems import QueueUnavailable
from ..queue.sharing import WorkerSlot
from ..queue.signal import Signal
from ..queue.store import Store
from ..settings import ServerSettings
from .pipe import FREE, HOLDS, STALLED, UNFIT

log = logging.getLogger(__name__)

RESTART_SECONDS = (0.2, 30.0)
HEALTHY_SECONDS = 10.0
STALL = "The worker waits for the queue, which is locked or cannot be written"


class Supervisor:
    """The worker's guardian. ``device`` is its, "" for any, ``environment`` its process's; ``wake`` tells all workers
    that there is a job."""

    def __init__(
        self,
        settings: ServerSettings,
        store: Store,
        signal: Signal,
        slot: WorkerSlot,
        device: str,
        environment: Mapping[str, str],
        wake: Callable[[], None],
    ) -> None:
        self._settings, self._store, self._signal = settings, store, signal
        self.slot, self._device, self._environment, self._wake_all = slot, device, environment, wake
        self._loop = asyncio.get_running_loop()
        self._process: Process | None = None
        self._leaving = asyncio.Event()
        self._blame: Literal["lose", "restart"] = "restart"  # what became of whoever had the jobs in hand
        self.in_hand = ""  # the job that the worker says it has
        self._unfit = ""  # why it says that it will never work
        self.trouble = ""  # why no worker works, for people

    async def keep(self) -> None:
        """Starts workers, one after another, until ``leave``."""
        pause, longest = RESTART_SECONDS
        while not self._leaving.is_set():
            began = self._loop.time()
            self.trouble = await self._live()
            self._signal.notify()
            if self._leaving.is_set():
                return
            healthy = self.in_hand or self._loop.time() - began > HEALTHY_SECONDS
            pause = RESTART_SECONDS[0] if healthy else min(2 * pause, longest)
            log.warning("%s; a new one starts in %.1f s", self.trouble, pause)
            await _either(self._leaving, pause)

    async def leave(self) -> None:
        """Asks the worker to give its job back and go; kills it when it does not in time."""
        self._leaving.set()
        if self._process is None or self._process.returncode is not None:
            return
        _close(self._process)
        try:
            async with asyncio.timeout(self._settings.drain):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()

    def wake(self) -> None:
        """There is a job; may be called from any thread."""
        self._loop.call_soon_threadsafe(self._write, b"\n")

    def cancelled(self, job: str) -> None:
        """This job was; whoever has it in hand is to let go in time. May be called from any thread."""
        self._loop.call_soon_threadsafe(self._loop.call_later, self._settings.grace, self._end_holder, job)

    def _end_holder(self, job: str) -> None:
        if self.in_hand == job and self._process is not None and self._process.returncode is None:
            log.warning("job %s was cancelled %.0f s ago; its worker is stopped", job, self._settings.grace)
            self._process.kill()

    async def _live(self) -> str:
        """One worker's life, and how it ended. A queue that cannot be used must not end its keeper."""
        try:
            await run_in_threadpool(self._store.put_back, self._blame, self.slot)
            code = await self._run()
            self._blame = "restart" if self._leaving.is_set() else "lose"
            await run_in_threadpool(self._store.put_back, self._blame, self.slot)
            self._wake_all()  # what it had in hand, or was left to it, is another's
        except (QueueUnavailable, OSError) as error:
            return f"The worker cannot work: {error}"
        return f"The worker cannot work: {self._unfit}" if self._unfit else f"The worker ended with code {code}"

    async def _run(self) -> int:
        self.in_hand = self._unfit = ""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.worker.process",
            *(str(self.slot.number), str(self.slot.count), self._device),
            stdin=PIPE,
            stdout=PIPE,
            env=self._environment,
            start_new_session=True,  # Ctrl-C and a closed terminal mean the server, which closes the pipe
        )
        self._write(TypeAdapter(ServerSettings).dump_json(self._settings) + b"\n")
        if self._leaving.is_set():  # it was asked while the process started
            _close(self._process)
        await self._listen(self._process)
        return await self._process.wait()

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                async with asyncio.timeout(self._settings.patience):
                    line = await process.stdout.readline()
            except TimeoutError:
                if self.in_hand:
                    log.error("the worker said nothing for %.0f s and is stopped", self._settings.patience)
                    process.kill()
                continue
            if not line:
                return
            self._hear(*line.decode(errors="replace").rstrip().partition(" "))
            self._signal.notify()

    def _hear(self, word: str, _: str, about: str) -> None:
        """One word of the worker's."""
        if word in (HOLDS, FREE):
            self.in_hand = about
        elif word == UNFIT:
            self._unfit = about
        self.trouble = STALL if word == STALLED else ""

    def _write(self, line: bytes) -> None:
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(line)


def _close(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()


async def _either(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
