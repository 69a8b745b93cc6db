# SPDX-License-Identifier: MIT
"""``maquette demo``: the main job on every example, with and without guidance, measured and shown side by side."""

import argparse
import asyncio
import io
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from addon.blender_process import SceneFile
from addon.client.api import connect
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import loads

from ..errors import CommandError
from ..http.host import running
from . import blender_process
from .files import ELSEWHERE, scratch, write, writing
from .following import ServerLink
from .render import own_server, paint, render, settings_from
from .terminal import bar, say

if TYPE_CHECKING:
    from benchmarks.report import Pair

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class NoExamples(CommandError):
    """Nothing to demonstrate."""


def main(argv: Sequence[str]) -> int:
    """``maquette demo``."""
    words = _parser().parse_args(argv)
    settings_from(words)
    scenes = sorted(words.examples.glob("*.blend"))
    if not scenes:
        raise NoExamples(f"{words.examples} has no .blend files: run examples/make.py, or name another folder")
    with writing(words.out, ELSEWHERE):  # said before minutes of work, and not after
        words.out.mkdir(parents=True, exist_ok=True)
        write(words.out / "report.json", b"{}\n")
    begun = time.monotonic()
    pairs, seconds = asyncio.run(perform(scenes, words.out, words.seed, words.blender))
    lead = words.out / pairs[0].name
    with writing(words.out, ELSEWHERE):
        for name in ("picture.png", "scene.blend"):
            write(words.out / name, (lead / name).read_bytes())
        measure(pairs, words.out, seconds | {"all": round(time.monotonic() - begun, 1)})
    for name in ("picture.png", "sheet.png", "scene.blend", "report.json"):
        say(str(words.out / name))
    return 0


async def perform(
    scenes: Sequence[Path], out: Path, seed: int, program: Path | None
) -> tuple[list["Pair"], dict[str, float]]:
    """Every scene through a server of our own; what became of each, and the seconds each took."""
    pairs, seconds = [], {}
    with scratch() as folder:
        async with running(own_server(folder)) as (_, connection):
            link = ServerLink(await connect(connection))
            for scene in bar(scenes, desc="examples", unit="scene"):
                begun = time.monotonic()
                pairs.append(await example(link, scene, out / scene.stem, seed, program))
                seconds[scene.stem] = round(time.monotonic() - begun, 1)
    return pairs, seconds


async def example(link: ServerLink, scene: Path, out: Path, seed: int, program: Path | None) -> "Pair":
    """One scene: its picture and textured copy, the unguided picture of the same seed, and the blocking itself."""
    from benchmarks.report import Pair

    source = SceneFile(path=scene)
    result = await render(link, source, {"seed": seed}, None, out, program, overwrite=True)
    blockout = loads(Blockout, result.blockout.read_bytes())
    unguided, _ = await paint(link, replace(blockout, strength=0.0))
    with writing(out, ELSEWHERE):
        write(out / "unguided.png", unguided)
    await blender_process.look(source, out / "blocking.png", program)
    blocking = (out / "blocking.png").read_bytes()
    return Pair(scene.stem, blockout, blocking, unguided, result.picture.read_bytes())


def measure(pairs: Sequence["Pair"], out: Path, seconds: dict[str, float]) -> None:
    """Write sheet.png and report.json. Torch, which the Judge needs, comes in after the server is gone."""
    from benchmarks import report

    sheet = io.BytesIO()
    report.sheet(pairs).save(sheet, "PNG")
    write(out / "sheet.png", sheet.getvalue())
    figures = report.figures(pairs, report.load_judge()) | {"seconds": seconds}
    write(out / "report.json", (json.dumps(figures, indent=1) + "\n").encode())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="maquette demo", description="The main job on the examples.")
    parser.add_argument("--examples", type=Path, default=EXAMPLES, help="folder of .blend files")
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder of the results")
    parser.add_argument("--seed", type=int, default=0, help="0 to 2147483647")
    parser.add_argument("--blender", type=Path, help="the Blender to use; by default bpy, in Python")
    return parser
