# SPDX-License-Identifier: GPL-3.0-or-later
"""An exact capture for the artist's Blender: a copy of the file, captured in a second one. No bpy, no threads.

The second Blender is a child process that is looked at now and then; asyncio's own subprocesses would need a thread on
Python 3.11, and there are none on a loop that Windows can stop.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..blender_process import LEASH, CaptureCommand, refusal
from ..capture.masks import region_mask
from ..cooperative import Slices, gradually
from ..messages.errors import SecondBlenderFailed, UserError
from ..messages.notice import Notice, notice
from ..messages.sentences import differs, only_rendered
from ..protocol.answers import Problem
from ..protocol.blockout import Blockout, Region
from ..protocol.strict_json import ContractError, loads
from ..session import reducer
from ..session.dispatcher import Dispatcher

PERIOD = 0.05  # seconds between two looks at the child
ALIKE = 0.9  # overlap of a live and an exact mask that the artist need not know of
FIX = "Try again, or turn Exact off."
TAIL = 200  # characters of the child's last words that fit a panel


@dataclass(frozen=True)
class ExactCapture:
    """``program`` starts the second Blender, which obeys ``command``: source and result are in a folder of their own,
    that goes when all is done."""

    program: tuple[str, ...]
    command: CaptureCommand

    @property
    def folder(self) -> Path:
        """Where the copy of the file is, and whatever else comes of it."""
        return self.command.out.parent

    async def develop(self) -> Blockout:
        """The capture. Raises UserError; leaves no child behind, cancelled or not."""
        try:
            return await self._develop(self.command.out, self.folder / "log")
        except (OSError, ContractError) as error:
            raise SecondBlenderFailed(f"A second Blender cannot capture the file: {error}.", FIX) from error

    async def _develop(self, out: Path, log: Path) -> Blockout:
        code = await run_child([*self.program, *self.command.words()], log)
        if problem := refusal(code, out):
            raise problem_error(problem)
        if code != 0:
            tail = log.read_text(errors="replace").strip()[-TAIL:]
            raise SecondBlenderFailed(f"The second Blender ended with code {code}. {tail}", FIX)
        return loads(Blockout, out.read_bytes())


async def expose(
    dispatcher: Dispatcher,
    exact: ExactCapture,
    live: Slices[Blockout],
    lock: asyncio.Lock,
    send: Callable[[Blockout], Awaitable[object]],
) -> None:
    """Capture, then ``send``; the session says what became of it, and where the capture is not what the view shows.

    ``live`` is what the view gives; ``lock`` lets one second Blender in at a time. The folder is removed in any case.
    """
    dispatcher.apply(reducer.exact_capture_begun)
    try:
        with dispatcher.draft():
            viewed = await _viewed(live)
            async with lock:
                blockout = await exact.develop()
    except UserError as error:
        dispatcher.apply(reducer.notice_changed, notice(error))
        return
    finally:
        shutil.rmtree(exact.folder, ignore_errors=True)
        dispatcher.apply(reducer.exact_capture_ended)
    await send(blockout)
    if dispatcher.session.notice is None:
        dispatcher.apply(reducer.notice_changed, difference(viewed, blockout))


def difference(live: Blockout | UserError, exact: Blockout) -> Notice | None:
    """Which regions a render shows otherwise than the view does, as a warning; None where they are alike."""
    if isinstance(live, UserError):
        return only_rendered(live.message)
    unlike = [
        f"“{one.phrase}” ({overlap:.0%} alike)"
        for one, other in zip(live.regions, exact.regions, strict=True)
        if (overlap := alike(one, other)) < ALIKE
    ]
    return differs(", ".join(unlike)) if unlike else None


def alike(one: Region, other: Region) -> float:
    """How much two masks overlap: the sum of the lesser over the sum of the greater coverage, 0..1."""
    first, second = region_mask(one), region_mask(other)
    return float(np.minimum(first, second).sum(dtype=np.int64) / np.maximum(first, second).sum(dtype=np.int64))


async def _viewed(live: Slices[Blockout]) -> Blockout | UserError:
    """What the view gives, if only an error: a render may show what the view does not."""
    try:
        return await gradually(live)
    except UserError as error:
        return error


def problem_error(problem: Problem) -> UserError:
    """The error that the second Blender met, with its cure."""
    error = UserError(problem.detail, problem.fix or FIX, problem.path)
    error.code = problem.type
    return error


async def run_child(words: Sequence[str], log: Path) -> int:
    """Run a child to its end; its exit code."""
    with log.open("wb") as output:
        leashed = {**os.environ, LEASH: "1"}  # it ends with this Blender, however that ends
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, env=leashed)
    assert child.stdin is not None, "it is a pipe"
    try:
        while (code := child.poll()) is None:
            await asyncio.sleep(PERIOD)
        return code
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            child.kill()
        child.wait()
        child.stdin.close()
