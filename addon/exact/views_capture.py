# SPDX-License-Identifier: GPL-3.0-or-later
"""Many views of a copy of the file, captured by one second Blender, each at hand as soon as it is there. No bpy.

The artist's own frame, camera and scene are never touched: it is the copy that goes through the frames.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ..blender_process import ViewsCommand, refusal
from ..messages.errors import SecondBlenderFailed
from ..protocol.strict_json import ContractError, loads
from ..protocol.views import CapturedView
from .second_blender import PERIOD, TAIL, problem_error, run_child

FIX = "Try again."


@dataclass(frozen=True)
class ViewsCapture:
    """``program`` starts the second Blender, which obeys ``command``: the copy and the views are in a folder of their
    own, that goes when all is done. ``lock`` lets one second Blender in at a time."""

    program: tuple[str, ...]
    command: ViewsCommand
    lock: asyncio.Lock

    @property
    def folder(self) -> Path:
        """Where the copy of the file is, and whatever else comes of it."""
        return self.command.out.parent

    async def captured(self) -> AsyncGenerator[CapturedView, None]:
        """Every view, in order. Raises UserError; leaves no child behind, closed early or not."""
        log = self.folder / "log"
        running = asyncio.ensure_future(self._run(log))
        try:
            for number in count():
                file = self.command.out / f"{number}.json"
                while not file.exists() and not running.done():
                    await asyncio.sleep(PERIOD)
                if not file.exists():
                    break
                yield loads(CapturedView, file.read_bytes())
            self._check(running.result(), log)
        except (OSError, ContractError) as error:
            raise SecondBlenderFailed(f"A second Blender cannot capture the file: {error}.", FIX) from error
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await running

    async def _run(self, log: Path) -> int:
        async with self.lock:
            return await run_child([*self.program, *self.command.words()], log)

    def _check(self, code: int, log: Path) -> None:
        """Raises UserError for a Blender that did not end well."""
        if problem := refusal(code, self.command.problem_file):
            raise problem_error(problem)
        if code != 0:
            tail = log.read_text(errors="replace").strip()[-TAIL:]
            raise SecondBlenderFailed(f"The second Blender ended with code {code}. {tail}", FIX)
