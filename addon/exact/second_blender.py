# SPDX-License-Identifier: GPL-3.0-or-later
"""An exact capture for the artist's Blender: a copy of the file, captured in a second one. No bpy, no threads.

The second Blender is a child process that is looked at now and then; asyncio's own subprocesses would need a thread on
Python 3.11, and there are none on a loop that Windows can stop.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..capture.masks import region_mask
from ..cooperative import Slices, gradually
from ..messages.errors import SecondBlenderFailed, UserError
from ..messages.notice import Notice, notice
from ..protocol.records import Blockout, Problem, Region
from ..protocol.strict_json import ContractError, loads
from ..session import reducer
from ..session.dispatcher import Dispatcher

GLANCE = 0.05  # seconds between two looks at the child
REFUSED = 3  # headless ends with it when a scene cannot be captured
ALIKE = 0.9  # overlap of a live and an exact mask that the artist need not know of
FIX = "Try again, or turn Exact off."
TAIL = 200  # characters of the child's last words that fit a panel
# An extension is not enabled in a factory-fresh Blender: this imports it from its folder, under a name of its own.
BOOT = (
    "import importlib.util as u, sys; "
    f"s = u.spec_from_file_location('maquette', {str(Path(__file__).parents[1] / '__init__.py')!r}); "
    "m = sys.modules['maquette'] = u.module_from_spec(s); s.loader.exec_module(m); "
    "from maquette.headless import main; main()"
)


@dataclass(frozen=True)
class ExactCapture:
    """What to capture: the file's copy, in a ``folder`` of its own that goes when all is done, and headless's flags.

    ``program`` starts the second Blender.
    """

    folder: Path
    program: tuple[str, ...]
    flags: Mapping[str, object]

    @property
    def copy(self) -> Path:
        """Where the copy of the file is to be."""
        return self.folder / "copy.blend"

    async def develop(self) -> Blockout:
        """The capture. Raises CaptureError; leaves no child behind, cancelled or not."""
        try:
            return await self._develop(self.folder / "blockout.json", self.folder / "log")
        except (OSError, ContractError) as error:
            raise SecondBlenderFailed(f"A second Blender cannot capture the file: {error}.", FIX) from error

    async def _develop(self, out: Path, log: Path) -> Blockout:
        flags = [f"--{name}={value}" for name, value in self.flags.items() if value is not None]
        code = await _run([*self.program, "capture", str(self.copy), str(out), "--exact", *flags], log)
        if code == REFUSED:
            raise _refusal(loads(Problem, out.read_bytes()))
        if code != 0:
            said = log.read_text(errors="replace").strip()[-TAIL:]
            raise SecondBlenderFailed(f"The second Blender ended with code {code}. {said}", FIX)
        return loads(Blockout, out.read_bytes())


def program(binary: str) -> tuple[str, ...]:
    """What starts a second Blender like this one; ``binary`` is "" where this is Blender as a Python module."""
    if not binary:
        return sys.executable, "-c", BOOT
    return binary, "--background", "--factory-startup", "--python-exit-code", "1", "--python-expr", BOOT, "--"


async def expose(
    dispatcher: Dispatcher,
    exposure: ExactCapture,
    live: Slices[Blockout],
    room: asyncio.Lock,
    send: Callable[[Blockout], Awaitable[None]],
) -> None:
    """Capture, then ``send``; the session says what became of it, and where the capture is not what the view shows.

    ``live`` is what the view gives; ``room`` lets one second Blender in at a time. The folder is removed in any case.
    """
    dispatcher.apply(reducer.exact_capture_begun)
    try:
        with dispatcher.draft():
            seen = await _seen(live)
            async with room:
                exact = await exposure.develop()
    except UserError as error:
        dispatcher.apply(reducer.notice_changed, notice(error))
        return
    finally:
        shutil.rmtree(exposure.folder, ignore_errors=True)
        dispatcher.apply(reducer.exact_capture_ended)
    await send(exact)
    if dispatcher.session.notice is None:
        dispatcher.apply(reducer.notice_changed, difference(seen, exact))


def difference(live: Blockout | UserError, exact: Blockout) -> Notice | None:
    """Which regions a render shows otherwise than the view does, as a warning; None where they are alike."""
    if isinstance(live, UserError):
        return Notice(message=f"Only a render shows it all: {live.message}", code="unlike", warning=True)
    unlike = [
        f"“{one.phrase}” ({overlap:.0%} alike)"
        for one, other in zip(live.regions, exact.regions, strict=True)
        if (overlap := alike(one, other)) < ALIKE
    ]
    if not unlike:
        return None
    return Notice(
        message=f"A render shows some things otherwise than the view: {', '.join(unlike)}.",
        fix="The picture follows the render; turn Exact off to follow the view.",
        code="unlike",
        warning=True,
    )


def alike(one: Region, other: Region) -> float:
    """How much two masks overlap: the sum of the lesser over the sum of the greater coverage, 0..1."""
    first, second = region_mask(one), region_mask(other)
    return float(np.minimum(first, second).sum(dtype=np.int64) / np.maximum(first, second).sum(dtype=np.int64))


async def _seen(live: Slices[Blockout]) -> Blockout | UserError:
    """What the view gives, if only an error: a render may show what the view does not."""
    try:
        return await gradually(live)
    except UserError as error:
        return error


def _refusal(problem: Problem) -> UserError:
    """The error that the second Blender met, with its cure."""
    error = UserError(problem.detail, problem.fix or FIX, problem.path)
    error.code = problem.type
    return error


async def _run(words: list[str], log: Path) -> int:
    """Run a child to its end; its exit code."""
    with log.open("wb") as said:
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
    try:
        while (code := child.poll()) is None:
            await asyncio.sleep(GLANCE)
        return code
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            child.kill()
        child.wait()
