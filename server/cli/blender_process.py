# SPDX-License-Identifier: MIT
"""Blender as a child process: captures a scene, and puts a picture into a copy of it.

The same code of the add-on runs either in a Blender that is named, or in this Python when bpy is installed in it; a
process of its own keeps Blender's crashes and its memory away from everything else.
"""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from addon.blender_process import (
    LEASH,
    ApplyCommand,
    CaptureCommand,
    Command,
    FootageCommand,
    LookCommand,
    SceneFile,
    program,
    refusal,
)
from addon.protocol.answers import Achieved, ModelInfo
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import ContractError, dump, loads

from ..errors import CommandError
from .files import scratch

TAIL = 2000


class NoBlender(CommandError):
    """Neither a Blender nor bpy."""

    def __init__(self) -> None:
        super().__init__("Blender's Python module (bpy) is not installed here: name a Blender with --blender PATH")


class BlenderFailed(CommandError):
    """Blender ended badly, or could not be run; its last words are in the message."""


class NotCaptured(CommandError):
    """The scene cannot be opened or captured, and why."""


async def capture(
    source: SceneFile, settings: Mapping[str, Any], model: ModelInfo, blender: Path | None = None
) -> Blockout:
    """The blockout of a scene, with ``settings`` by name in place of its own.

    Raises NotCaptured, BlenderFailed, NoBlender.
    """
    with scratch() as folder:
        out = folder / "blockout.json"
        await _run(CaptureCommand(source=source, out=out, model=model, settings=settings), blender)
        try:
            return loads(Blockout, out.read_bytes())
        except ContractError as error:
            raise BlenderFailed(f"The captured blockout is not valid: {error}") from error


async def apply(
    source: SceneFile,
    picture: Path,
    blockout: Path,
    achieved: Sequence[Achieved],
    out: Path,
    blender: Path | None = None,
) -> None:
    """A copy of the scene, in ``out``, with the picture behind its camera and on its regions.

    It knows what the picture was asked for, ``blockout`` in a file, and what it shows, as one that the panel received.
    """
    with scratch() as folder:
        measured = folder / "achieved.json"  # masks are too long for a command line
        measured.write_text(json.dumps(dump(tuple(achieved))))
        command = ApplyCommand(source=source, picture=picture, request=blockout, achieved=measured, out=out)
        await _run(command, blender)


async def footage(
    source: SceneFile, frames: Path, out: Path, blender: Path | None = None, project: bool = False
) -> None:
    """A copy of the scene, in ``out``, with the pictures that ``frames`` lists behind its cameras; to ``project``, the
    first frame's onto the objects too."""
    await _run(FootageCommand(source=source, frames=frames, out=out, project=project), blender)


async def look(source: SceneFile, out: Path, blender: Path | None = None) -> None:
    """A quick render of the blocking as it stands, as PNG."""
    await _run(LookCommand(source=source, out=out), blender)


async def _run(command: Command, blender: Path | None) -> None:
    code, output = await _ended([*blender_words(blender), *command.words()])
    if problem := refusal(code, command.out):
        command.out.unlink()
        raise NotCaptured(f"{problem.detail} {problem.fix}".strip())
    if code != 0:
        raise BlenderFailed(f"Blender ended with code {code}:\n{output[-TAIL:]}")


async def _ended(words: list[str]) -> tuple[int | None, str]:
    """A child's exit code, and all that it printed. Raises BlenderFailed for one that does not even start."""
    leashed = {**os.environ, LEASH: "1"}
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, stderr=STDOUT, env=leashed)
    except OSError as error:
        raise BlenderFailed(f"{words[0]} cannot be run: {error.strerror}") from error
    assert process.stdout is not None, "it is a pipe"
    try:
        output = await process.stdout.read()  # not communicate: it would let go of the leash
        await process.wait()
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            process.kill()
        await process.wait()
    return process.returncode, output.decode(errors="replace").strip()


def blender_words(blender: Path | None) -> tuple[str, ...]:
    """What starts a Blender: the one that is named, or this Python's module. Raises NoBlender."""
    if blender is None and find_spec("bpy") is None:
        raise NoBlender
    return program("" if blender is None else str(blender))
