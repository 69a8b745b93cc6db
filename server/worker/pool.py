# SPDX-License-Identifier: MIT
"""All workers of a server, one a device; each has a supervisor of its own, and none waits for another."""

import asyncio
import os

from ..queue.sharing import WorkerSlot
from ..queue.signal import Signal
from ..queue.store import Store
from ..settings import ServerSettings
from .devices import process_environment
from .supervisor import Supervisor


class WorkerPool:
    """The workers that the settings ask for."""

    def __init__(self, settings: ServerSettings, store: Store, signal: Signal) -> None:
        names = settings.devices or ("",)
        self.supervisors = tuple(
            Supervisor(
                settings,
                store,
                signal,
                WorkerSlot(number, len(names)),
                name,
                process_environment(name, names, os.environ),
                self.wake,
            )
            for number, name in enumerate(names)
        )

    async def keep(self) -> None:
        """Starts workers, one after another in each place, until ``leave``."""
        await asyncio.gather(*(supervisor.keep() for supervisor in self.supervisors))

    async def leave(self) -> None:
        """Asks all of them at once to give back what they have in hand, and go."""
        await asyncio.gather(*(supervisor.leave() for supervisor in self.supervisors))

    def wake(self) -> None:
        """There is a job; may be called from any thread."""
        for supervisor in self.supervisors:
            supervisor.wake()

    def cancelled(self, job: str) -> None:
        """This job was; whoever has it in hand is to let go in time. May be called from any thread."""
        for supervisor in self.supervisors:
            supervisor.cancelled(job)

    @property
    def trouble(self) -> str:
        """Why no worker works, for people; "" while one does."""
        troubles = [supervisor.trouble for supervisor in self.supervisors]
        return troubles[0] if all(troubles) else ""
