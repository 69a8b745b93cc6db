# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the server step by step, on the event loop: each is a child process, and done once. No bpy, no threads."""

import asyncio
import os
import re
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from ..messages.errors import UserError
from ..messages.installation_errors import FolderUnwritable, PipMissing, PythonUnsuitable, WheelUnchosen
from ..protocol import server_command
from . import plan as planning
from . import stages
from .child import run
from .failures import failure, free_bytes, full, last_words, refused
from .pip_output import Report, heard
from .plan import STEPS, InstallPlan, InstallStep
from .stages import Installation

OLDEST, NEWEST = (3, 11), (3, 14)  # Pythons that the server is made for
PROBE = """import importlib.util, sys
modules = (int(importlib.util.find_spec(name) is not None) for name in ("venv", "ensurepip"))
print("Python", *sys.version_info[:2], *modules)
"""
PYTHON = re.compile(r"Python (\d+) (\d+) ([01]) ([01])$")
TRANSIENT = ("cache", "temporary", "downloads")  # folders that nobody needs once all is installed


class Installer:
    """What is installed in a folder of the user's, and what is being done about it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "installation.log"
        complete = STEPS[-1].name in planning.recorded(folder)[1] and planning.interpreter(folder).exists()
        stage: stages.Stage = "installed" if complete else "interrupted" if folder.exists() else "absent"
        self.state = Installation(stage=stage)
        self._task: asyncio.Task[object] | None = None

    def cancel(self) -> None:
        """Stop what is being done. What is finished stays, and no process does."""
        if self._task is not None:
            self._task.cancel()

    def install(self, plan: InstallPlan, anew: bool = False) -> Coroutine[Any, Any, bool]:
        """Do what is left to do, or all ``anew``; whether all of it is there then.

        ``state`` says how it goes and why it stopped; that something is done it says at once.
        """
        self.state = stages.begun(self.state, STEPS[0])
        return self._guarded(plan, anew)

    async def _guarded(self, plan: InstallPlan, anew: bool) -> bool:
        self._task = asyncio.current_task()
        try:
            if anew:
                (plan.folder / "record.json").unlink(missing_ok=True)
            await self._install(plan)
        except UserError as error:
            self.state = stages.failed(self.state, error)
        except OSError as error:
            self.state = stages.failed(self.state, refused(plan, error))
        except asyncio.CancelledError:
            self.state = stages.cancelled(self.state)
        else:
            self.state = stages.completed(self.state)
        self._task = None
        return self.state.stage == "installed"

    def remove(self) -> Coroutine[Any, Any, None]:
        """Take all of it away, and its log."""
        self.state = stages.removing(self.state)
        return self._remove()

    async def _remove(self) -> None:
        """In a child: so many files would hold the window, or take minutes in slices."""
        log = self.folder.with_name("removal.log")
        python = next((path for path in own_pythons() if Path(path).is_file()), sys.executable)
        try:
            code, words = await run(planning.removing(python, self.folder), os.environ, log, lambda line: None)
            log.unlink()
        except OSError as error:
            code, words = 1, f"{error.strerror}"
        if code == 0:
            self.state = stages.removed(self.state)
        else:
            self.state = stages.failed(self.state, FolderUnwritable(str(self.folder), last_words(words)))

    async def _install(self, plan: InstallPlan) -> None:
        check(plan)
        prepare(plan)
        finished = planning.done(plan)
        if "torch" not in finished and free_bytes(plan.folder) < plan.disk * 1e6:
            raise full(plan, free_bytes(plan.folder))
        for step in STEPS:
            if step.name not in finished:
                self.state = stages.begun(self.state, step)
                if step.name in planning.COMMANDS:
                    await self._do(plan, step, planning.COMMANDS[step.name](plan))
                else:
                    await self._environment(plan, step)
                finished = (*finished, step.name)
                planning.note_done(plan, finished)
        await self._do(
            plan, STEPS[-1], planning.removing(plan.interpreter, *(plan.folder / name for name in TRANSIENT))
        )
        server_command.note(server_command.command_of(plan.interpreter))

    async def _environment(self, plan: InstallPlan, step: InstallStep) -> None:
        python, version, has_ensurepip = await self._find_python(plan)
        bringing = planning.bringing_pip(plan, has_ensurepip)
        if bringing is None:
            raise PipMissing(python, version)
        await self._do(plan, step, planning.making(plan, python))
        await self._do(plan, step, bringing)
        if renewing := planning.renewing_pip(plan):
            await self._do(plan, step, renewing)

    async def _do(self, plan: InstallPlan, step: InstallStep, words: list[str]) -> None:
        """Run a step's command to its end. Raises the error that it ends with."""
        report, before, begun = Report(), len(planning.packages(plan)), self.state.factor

        def hear(line: str) -> None:
            nonlocal report
            report = heard(report, line)
            self.state = stages.reported(self.state, step, report, planning.expected(plan, step))

        def look() -> None:
            nonlocal begun
            if report.packages:
                unpacked = len(planning.packages(plan)) - before
                self.state = stages.unpacked(self.state, step, begun, unpacked, report.packages)
            else:
                begun = self.state.factor

        code, log = await run(words, planning.environ(plan), self.log, hear, look)
        if code != 0:
            raise failure(plan, step, log, code)

    async def _find_python(self, plan: InstallPlan) -> tuple[str, str, bool]:
        """The first that will do, its version as 3.13, and whether it has ensurepip. Raises PythonUnsuitable."""
        first: UserError | None = None
        for python in (plan.python,) if plan.python else own_pythons():
            try:
                return python, *await self._probe(plan, python)
            except PythonUnsuitable as error:
                first = first or error
        raise first or PythonUnsuitable("Blender's Python", "it was not found")

    async def _probe(self, plan: InstallPlan, python: str) -> tuple[str, bool]:
        """An interpreter's version as 3.13, and whether it has ensurepip. Raises PythonUnsuitable."""
        answers: list[re.Match[str]] = []
        words = [python, "-I", "-c", PROBE]
        try:
            await run(words, planning.environ(plan), self.log, lambda line: answers.extend(PYTHON.finditer(line)))
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise PythonUnsuitable(python, (error.strerror or str(error)).lower()) from error
        reason = unsuitable(answers[0]) if answers else "it does not run"
        if reason:
            raise PythonUnsuitable(python, reason)
        return f"{answers[0][1]}.{answers[0][2]}", answers[0][4] == "1"


def check(plan: InstallPlan) -> None:
    """Raise WheelUnchosen where there is no wheel to install, or one that nobody could check."""
    unchecked = planning.is_address(plan.source) and not plan.release.sha256
    if not plan.source or unchecked:
        raise WheelUnchosen(plan.release.name)


def prepare(plan: InstallPlan) -> None:
    """Make the folder and what children need in it. Raises OSError."""
    (plan.folder / "temporary").mkdir(parents=True, exist_ok=True)
    pins = [pin for pin in plan.release.constraints if not pin.startswith("torch==")]  # which is asked for by itself
    (plan.folder / "constraints.txt").write_text("\n".join(pins), "utf-8")


def unsuitable(answer: "re.Match[str]") -> str:
    """Why an interpreter that gave this answer will not do; "" where it will."""
    version = int(answer[1]), int(answer[2])
    if not OLDEST <= version <= NEWEST:
        oldest, newest = (".".join(map(str, bound)) for bound in (OLDEST, NEWEST))
        return f"it is Python {answer[1]}.{answer[2]}, and {oldest} to {newest} are supported"
    return "" if answer[3] == "1" else "it has no venv"


def own_pythons() -> list[str]:
    """Where Blender's own Python may be: where it says, and in its folder; some builds of Blender say another's."""
    names = (
        ("python.exe",)
        if sys.platform == "win32"
        else (f"python{sys.version_info[0]}.{sys.version_info[1]}", "python3")
    )
    inside = [str(Path(sys.base_prefix, "bin", name)) for name in names]
    return list(dict.fromkeys([sys.executable, *inside] if sys.executable else inside))
