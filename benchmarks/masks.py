# SPDX-License-Identifier: MIT
"""Are the masks right, and quick? The 2x rasteriser against Cycles' Cryptomatte, on the examples and a stress scene."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from addon.camera.reader import view
from addon.capture.regions import STAGGER, SUPERSAMPLING
from addon.capture.scene import evaluated, geometry
from addon.exact import cryptomatte
from addon.exact.capture import render_depsgraph, render_layers
from addon.raster.rasterise import coverages, rasterise
from addon.regions.marks import mark, marks, unmark
from benchmarks.mask_kinds import KINDS, masked, pictured
from benchmarks.sheet import Coverage
from benchmarks.stress import current_scene, sphere, stress

SIDE = 512  # pixels along the longer side of the picture
SAMPLES = 32  # of Cryptomatte, one pixel's BOX filter
VISIBLE = 0.005  # of the picture, what an object must cover to count
RINGS = (50, 158, 500)  # balls of 10,000, 99,856 and 1,000,000 triangles
SECONDS = 0.2  # that something is timed for, at least
RADIUS = 1.5  # they cover 14 % of the picture


@dataclass(frozen=True)
class Agreement:
    """One object of one scene: overlap with Cryptomatte, and the distance between the middles in pixels."""

    name: str
    visible: float
    iou: float
    offset: float


def live(scene: bpy.types.Scene, width: int, height: int) -> NDArray[np.uint8]:
    """What the rasteriser says each mark covers, (marks, height, width) in 0..255, from the evaluated depsgraph."""
    graph = evaluated(scene)
    assert scene.camera is not None, "the examples have one"
    camera, count = view(scene, scene.camera, graph), len(marks(scene))
    shapes = geometry(scene, graph, camera)
    size = width * SUPERSAMPLING, height * SUPERSAMPLING
    raster = rasterise(shapes.triangles, camera.lens, *size, stagger=STAGGER)
    return coverages(raster, count, SUPERSAMPLING)


def rendered(scene: bpy.types.Scene, samples: int, ranks: int = 6) -> Coverage:
    """The same of a Cycles render, (marks, height, width) in 0..1."""
    names = {marked.name: index for index, marked in enumerate(marks(scene))}
    return cryptomatte.coverage(render_layers(scene, samples, ranks), names, len(names))


def overlaps(title: str, scene: bpy.types.Scene) -> Iterator[Agreement]:
    """How well both agree, on every object of a scene."""
    names = [marked.name for marked in marks(scene)]
    ours = live(scene, scene.render.resolution_x, scene.render.resolution_y) / np.float32(255.0)
    yield from compare(title, ours, rendered(scene, SAMPLES), names)


def compare(title: str, ours: Coverage, theirs: Coverage, names: Sequence[str]) -> Iterator[Agreement]:
    """A row for each object that is visible enough."""
    for name, one, other in zip(names, ours, theirs, strict=True):
        if other.mean() >= VISIBLE:
            overlap = float(np.minimum(one, other).sum() / np.maximum(one, other).sum())
            offset = float(np.hypot(*(middle(one) - middle(other))))
            yield Agreement(f"{title}: {name}", float(other.mean()), overlap, offset)


def middle(cover: Coverage) -> NDArray[np.float64]:
    """The centroid of a coverage, x and y in pixels."""
    rows, columns = cover.sum(axis=1, dtype=np.float64), cover.sum(axis=0, dtype=np.float64)
    moments = [side @ (np.arange(len(side)) + 0.5) for side in (columns, rows)]
    return np.array(moments) / max(float(rows.sum()), 1e-9)


def quickest(work: Callable[[], object], runs: int) -> float:
    """Seconds that ``work`` takes when warm and undisturbed: the least of ``runs``, after one that does not count; of
    more where it is short, for at least SECONDS together: any disturbance is long against it."""
    work()
    durations: list[float] = []
    while len(durations) < runs or sum(durations) < SECONDS:
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return min(durations)


def scenes(folder: Path) -> Iterator[tuple[str, bpy.types.Scene]]:
    """The examples and the stress scene, at SIDE pixels, every object marked by its own name."""
    for path in sorted(folder.glob("*.blend")):
        bpy.ops.wm.open_mainfile(filepath=str(path), use_scripts=False)
        yield path.stem, prepared(current_scene())
    yield "stress", prepared(stress())


def prepared(scene: bpy.types.Scene) -> bpy.types.Scene:
    """The scene at SIDE pixels, with marks as Cryptomatte has them: one an object, and one for all its instances."""
    render = scene.render
    shrink = SIDE / max(render.resolution_x, render.resolution_y)
    render.resolution_x, render.resolution_y = round(render.resolution_x * shrink), round(render.resolution_y * shrink)
    render.resolution_percentage = 100
    for collection in bpy.data.collections:
        unmark(collection)
    for item in bpy.data.objects:
        if item.type in {"MESH", "CURVE", "FONT", "META"}:
            mark(item, item.name)
    return scene


def speedup(scene: bpy.types.Scene, width: int, height: int, runs: int) -> float:
    """How much quicker than Cycles at one sample, both from the evaluated depsgraph to arrays.

    Cycles also has a depsgraph evaluated, which a render that paints nothing measures; that is taken off.
    """
    ours = quickest(lambda: live(scene, width, height), runs)
    cycles = quickest(lambda: rendered(scene, 1, 2), runs)
    evaluation = quickest(lambda: render_depsgraph(scene, lambda graph: True), runs)
    return (cycles - evaluation) / ours


def slope(runs: int) -> tuple[float, list[float]]:
    """Log-log slope of time over triangles at one covered area, at the size of a capture's mask; and the seconds."""
    seconds = []
    for rings in (RINGS[-1], *RINGS):  # the largest first, and not counted: warm means the allocator, too
        scene = sphere(rings, RADIUS)
        mark(scene.objects["ball"])
        evaluated(scene)
        seconds.append(quickest(partial(live, scene, 256, 256), runs))
    seconds = seconds[1:]
    triangles = [4 * rings**2 for rings in RINGS]
    return float(np.polyfit(np.log(triangles), np.log(seconds), 1)[0]), seconds


def main(words: Sequence[str] | None = None) -> int:
    """`maquette bench masks`."""
    args = parser().parse_args(words)
    rows: list[Agreement] = []
    gains = {}
    with quiet():
        for title, scene in scenes(args.examples):
            rows += overlaps(title, scene)
            gains[title] = speedup(scene, scene.render.resolution_x, scene.render.resolution_y, args.runs)
        inclination, seconds = slope(args.runs)
        masks = {name: masked(build) for name, build in KINDS.items()}
    kinds = {name: both.agreement() for name, both in masks.items()}
    if args.sheet:
        pictured(masks).save(args.sheet)
    figures: dict[str, float] = {
        "iou_min": round(min(row.iou for row in rows), 4),
        "centroid_err_px_max": round(max(row.offset for row in rows), 4),
        "speedup_vs_cycles_1spp": round(min(gains.values()), 2),
        "slope": round(inclination, 3),
    }
    if args.json:
        print(json.dumps(figures | {"kinds": {name: asdict(kind) for name, kind in kinds.items()}}))
    else:
        report(rows, gains, seconds, figures)
        for name, kind in kinds.items():
            words = f"  the panel says: {', '.join(kind.words)}" if kind.words else ""
            print(f"{name:>24}  view {kind.view:.4f}  Exact {kind.exact:.4f}{words}")
    return 0


@contextmanager
def quiet() -> Iterator[None]:
    """Blender's own messages, which it writes past Python, are dropped: they would stand around the JSON line."""
    sys.stdout.flush()
    original, sink = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    try:
        yield
    finally:
        os.dup2(original, 1)
        os.close(original)
        os.close(sink)


def report(
    rows: Sequence[Agreement], gains: dict[str, float], seconds: Sequence[float], figures: dict[str, float]
) -> None:
    """Tables: every object, every scene, the balls, and the figures of the JSON line."""
    for row in rows:
        print(f"{row.name:34} visible {row.visible:6.2%}  IoU {row.iou:.4f}  centroid {row.offset:.3f} px")
    for title, gain in gains.items():
        print(f"{title:34} {gain:.1f} times as quick as Cycles at one sample")
    for rings, second in zip(RINGS, seconds, strict=True):
        print(f"{4 * rings**2:>9} triangles {second * 1000:24.1f} ms")
    for name, value in figures.items():
        print(f"{name:>24}  {value:7.3f}")


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette bench masks`."""
    flags = argparse.ArgumentParser(prog="maquette bench masks", description=__doc__)
    flags.add_argument("--json", action="store_true", help="print one JSON line instead of tables")
    flags.add_argument("--examples", type=Path, default=Path("examples"), help="folder of .blend files")
    flags.add_argument("--runs", type=int, default=5, help="how often each time is taken; the least counts")
    flags.add_argument("--sheet", type=Path, help="file for a picture of the masks of all kinds, below the render's")
    return flags
