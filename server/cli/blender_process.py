# SPDX-License-Identifier: MIT
"""Blender as a child process: captures a scene, and puts a picture into a copy of it.

The same code of the add-on runs either in a Blender that is named, or in this Python when bpy is installed in it; a
process of its own keeps Blender's crashes and its memory away from everything else.
"""

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from addon.protocol.records import Achieved, Blockout, ModelInfo, Problem
from addon.protocol.strict_json import ContractError, dump, loads

from ..errors import CommandError

ROOT = Path(__file__).resolve().parents[2]
BOOT = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from addon.headless import main; main()"
REFUSED = 3
TAIL = 2000


class NoBlender(CommandError):
    """Neither a Blender nor bpy."""

    def __init__(self) -> None:
        super().__init__("Blender's Python module (bpy) is not installed here: name a Blender with --blender PATH")


class BlenderFailed(CommandError):
    """Blender ended badly, or could not be run; its last words are in the message."""


class NotCaptured(CommandError):
    """The scene cannot be opened or captured, and why."""


@dataclass(frozen=True)
class View:
    """What to look at: the scene's own camera and frame, unless named."""

    scene: Path
    camera: str | None = None
    frame: int | None = None

    def flags(self) -> list[str]:
        """As the child's flags."""
        return flags(camera=self.camera, frame=self.frame)


@dataclass(frozen=True)
class Wish:
    """What the command line asks for in place of the scene's own settings."""

    seed: int | None = None
    prompt: str | None = None
    steps: int | None = None
    strength: float | None = None
    masks: float | None = None
    exact: bool = False  # as a render shows it, hair and all

    def flags(self) -> list[str]:
        """As the child's flags."""
        named = flags(seed=self.seed, prompt=self.prompt, steps=self.steps, strength=self.strength, masks=self.masks)
        return [*named, *(["--exact"] if self.exact else [])]


def flags(**values: object) -> list[str]:
    """Named values as command-line words; None is left out."""
    return [f"--{name}={value}" for name, value in values.items() if value is not None]


async def capture(view: View, wish: Wish, model: ModelInfo, blender: Path | None = None) -> Blockout:
    """The blockout of a scene. Raises NotCaptured, BlenderFailed, NoBlender."""
    words = [*view.flags(), *wish.flags(), *flags(model=json.dumps(dump(model)))]
    with tempfile.TemporaryDirectory(prefix="maquette-") as folder:
        out = Path(folder) / "blockout.json"
        await _run(["capture", str(view.scene.resolve()), str(out), *words], out, blender)
        try:
            return loads(Blockout, out.read_bytes())
        except ContractError as error:
            raise BlenderFailed(f"The captured blockout is not valid: {error}") from error


async def apply(
    view: View, picture: Path, blockout: Path, achieved: Sequence[Achieved], out: Path, blender: Path | None = None
) -> None:
    """A copy of the scene, in ``out``, with the picture behind its camera and on its things.

    It knows what the picture was asked for, ``blockout`` in a file, and what it shows, as one that the panel received.
    """
    with tempfile.TemporaryDirectory(prefix="maquette-") as folder:
        shown = Path(folder) / "achieved.json"  # masks are too long for a command line
        shown.write_text(json.dumps(dump(tuple(achieved))))
        files = [str(path.resolve()) for path in (view.scene, picture, blockout, shown, out)]
        await _run(["apply", *files, *view.flags()], out, blender)


async def look(view: View, out: Path, blender: Path | None = None) -> None:
    """A quick render of the blocking as it stands, as PNG."""
    await _run(["look", str(view.scene.resolve()), str(out.resolve()), *view.flags()], out, blender)


async def _run(words: list[str], out: Path, blender: Path | None) -> None:
    code, said = await _ended([*_program(blender), *words])
    if code == REFUSED:
        problem = loads(Problem, out.read_bytes())
        out.unlink()
        raise NotCaptured(f"{problem.detail} {problem.fix}".strip())
    if code != 0:
        raise BlenderFailed(f"Blender ended with code {code}:\n{said[-TAIL:]}")


async def _ended(words: list[str]) -> tuple[int | None, str]:
    """A child's exit code, and all that it said. Raises BlenderFailed for one that does not even start."""
    try:
        process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=STDOUT)
    except OSError as error:
        raise BlenderFailed(f"{words[0]} cannot be run: {error.strerror}") from error
    said, _ = await process.communicate()
    return process.returncode, said.decode(errors="replace").strip()


def _program(blender: Path | None) -> list[str]:
    if blender is not None:
        return [
            str(blender),
            "--background",
            "--factory-startup",
            "--python-exit-code",
            "1",
            "--python-expr",
            BOOT,
            "--",
        ]
    if find_spec("bpy") is None:
        raise NoBlender
    return [sys.executable, "-c", BOOT]
