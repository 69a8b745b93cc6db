# SPDX-License-Identifier: MIT
"""Scenes to requests: one Blender a scene captures all of its views, and each is at hand as soon as it is captured."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

from addon.blender_process import ANNOUNCED, LEASH, SceneFile, ViewsCommand, refusal
from addon.protocol.answers import ModelInfo, Problem
from addon.protocol.strict_json import dump, loads
from addon.protocol.views import CapturedView

from ..cli.blender_process import TAIL, BlenderFailed, NotCaptured, blender_words
from ..cli.files import scratch
from .plan import BatchPlan, with_seed
from .requests import PictureRequest, name_of

LINE_BYTES = 2**20  # of what Blender prints


async def captured(
    scene: Path, plan: BatchPlan, model: ModelInfo, blender: Path | None = None
) -> AsyncGenerator[tuple[CapturedView, bytes], None]:
    """Every view of a scene, in order, with the file of its depths. Raises NotCaptured, BlenderFailed, NoBlender."""
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
    name: str, scene: Path, plan: BatchPlan, model: ModelInfo, blender: Path | None = None
) -> AsyncGenerator[PictureRequest | Problem, None]:
    """The pictures to paint of a scene, every seed of every view; or why a view cannot be captured.

    Raises as ``captured``.
    """
    async with aclosing(captured(scene, plan, model, blender)) as views:
        async for view, depth in views:
            if view.blockout is None:
                assert view.problem is not None, "a view is one of the two"
                yield view.problem
                continue
            prompt = view.prompt + 1 if len(plan.prompts) > 1 else 0
            for seed in plan.seeds_of(view.blockout):
                title = name_of(name, view.camera, view.frame, seed, prompt)
                yield PictureRequest(title, with_seed(view.blockout, seed), depth, view.pose, view.camera)


def _read(file: Path) -> tuple[CapturedView, bytes]:
    depth = file.with_suffix(".exr")
    return loads(CapturedView, file.read_bytes()), depth.read_bytes() if depth.is_file() else b""


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
    assert process.stdout is not None, "it is a pipe"
    while line := await process.stdout.readline():
        yield line
