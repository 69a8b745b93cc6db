# SPDX-License-Identifier: MIT
"""Scenes to requests: one Blender a scene captures all of its views, and each is at hand as soon as it is captured."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from addon.blender_process import ANNOUNCED, LEASH, SceneFile, ViewsCommand, refusal
from addon.protocol.answers import ModelInfo, Problem
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import dump, loads
from addon.protocol.views import CapturedView, TurnPicture

from ..cli.blender_process import TAIL, BlenderFailed, NotCaptured, blender_words
from ..cli.files import scratch
from ..cli.request_files import SUFFIX, asks_for
from .manifest import write_durably
from .paint import WouldOverwrite
from .plan import BatchPlan, with_seed
from .progress import NewsListener
from .references.turns import PictureTurns
from .requests import DEPTH, PictureRequest, RefusedView, beside, name_of, view_name

LINE_BYTES = 2**20  # of what Blender prints
SILENCE = 3600.0  # seconds, of a Blender that captures a view


@dataclass(frozen=True)
class ViewOnDisk:
    """A captured view, the file of its depths, and the PNG files that it refers to. Of views in turn the next one waits
    for the file ``turn``."""

    view: CapturedView
    depth: bytes
    references: tuple[bytes, ...]
    turn: Path

    def answer(self, picture: Path | None) -> None:
        """Where its picture is, for the Blender that waits for it; None where it could not be had."""
        path = "" if picture is None else str(picture.resolve())
        part = self.turn.with_suffix(".part")
        part.write_text(json.dumps(dump(TurnPicture(picture=path))))
        part.replace(self.turn)


async def captured(
    scene: Path, plan: BatchPlan, model: ModelInfo, blender: Path | None = None
) -> AsyncGenerator[ViewOnDisk, None]:
    """Every view of a scene, in order. Raises NotCaptured, BlenderFailed, NoBlender."""
    with scratch() as folder:
        views, out = folder / "views.json", folder / "out"
        out.mkdir()
        views.write_text(json.dumps(dump(plan.views(model))))
        command = ViewsCommand(source=SceneFile(path=scene), views=views, out=out)
        async with _blender([*blender_words(blender), *command.words()]) as process:
            output = b""
            async for line in _lines(process):
                if line.startswith(ANNOUNCED.encode()):
                    yield _read(out / f"{int(line.removeprefix(ANNOUNCED.encode()))}.json")
                else:
                    output = (output + line)[-TAIL:]
            code = await process.wait()
        if problem := refusal(code, command.problem_file):
            raise NotCaptured(sentence(problem))
        if code != 0:
            raise BlenderFailed(f"Blender ended with code {code}:\n{output.decode(errors='replace').strip()}")


async def requests_of(
    name: str,
    scene: Path,
    plan: BatchPlan,
    model: ModelInfo,
    blender: Path | None = None,
    turns: PictureTurns | None = None,
) -> AsyncGenerator[PictureRequest | RefusedView, None]:
    """The pictures to paint of a scene, every seed of every view; or why a view cannot be captured.

    Of a plan in turn each is captured once ``turns`` has the picture of the one before. Raises as ``captured``.
    """
    for part in plan.by_blender():
        async with aclosing(captured(scene, part, model, blender)) as views:
            async for one in views:
                if one.view.blockout is None:
                    assert one.view.problem is not None, "a view is one of the two"
                    yield RefusedView(view_name(name, one.view.camera, one.view.frame), sentence(one.view.problem))
                    continue
                for request in _seeded(name, one, one.view.blockout, part):
                    yield request
                    if turns is not None:
                        one.answer(await turns.picture(request.name))


def _seeded(name: str, one: ViewOnDisk, blockout: Blockout, plan: BatchPlan) -> Iterator[PictureRequest]:
    """A view's pictures, every seed."""
    view, prompt = one.view, one.view.prompt + 1 if len(plan.prompts) > 1 else 0
    for seed in plan.seeds_of(blockout):
        title = name_of(name, view.camera, view.frame, seed, prompt)
        yield PictureRequest(title, with_seed(blockout, seed), one.depth, view.pose, view.camera, one.references)


def _read(file: Path) -> ViewOnDisk:
    view, depth = loads(CapturedView, file.read_bytes()), file.with_suffix(".exr")
    pictures = () if view.blockout is None else view.blockout.pictures
    references = tuple(file.with_name(f"{digest}.png").read_bytes() for digest in pictures)
    return ViewOnDisk(view, depth.read_bytes() if depth.is_file() else b"", references, file.with_suffix(".turn.json"))


def sentence(problem: Problem) -> str:
    """What is wrong, and what to do."""
    return f"{problem.detail} {problem.fix}".strip()


@asynccontextmanager
async def _blender(words: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child that ends with us, however that comes. Raises BlenderFailed for one that does not even start."""
    leashed = {**os.environ, LEASH: "1"}
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=PIPE, stdout=PIPE, stderr=STDOUT, env=leashed, limit=LINE_BYTES
        )
    except OSError as error:
        raise BlenderFailed(f"{words[0]} cannot be run: {error.strerror}") from error
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            process.kill()
        await process.wait()


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    """What it prints; of a line that is longer than any of ours, its end alone. Raises BlenderFailed for one that says
    nothing for SILENCE, with which a night would be over."""
    assert process.stdout is not None, "it is a pipe"
    while True:
        try:
            async with asyncio.timeout(SILENCE):
                line = await process.stdout.readline()
        except ValueError:
            continue
        except TimeoutError as error:
            raise BlenderFailed(f"Blender said nothing for {SILENCE / 60:.0f} minutes, and was ended") from error
        if not line:
            return
        yield line


def keep_request(out: Path, request: PictureRequest, overwrite: bool, listen: NewsListener) -> None:
    """Write what was captured of a view to be painted some time. Raises WouldOverwrite where another request lies."""
    path = out / f"{request.name}{SUFFIX}"
    listen("asked", request.name)
    unchanged = asks_for(path, request.blockout)
    if path.exists() and not unchanged and not overwrite:
        raise WouldOverwrite(path, "is there already, of a scene or settings that were otherwise")
    if not unchanged:
        write_durably(path, json.dumps(dump(request.blockout)).encode())
    if request.depth:
        write_durably(beside(path, DEPTH), request.depth)
    listen("there" if unchanged else "saved", request.name)
