# SPDX-License-Identifier: MIT
"""A few minutes on a GPU that is lent: go on from an exported model or from nothing, stop in time, leave few files.

    python -m sg_core.toybox.training.sprint --out OUT

Without more it goes on with the weights that ship; with `--model FOLDER` with what `maquette toybox train` exported.
The model comes back as pieces under 16 MiB of one tar file: `cat OUT/model.tar.* | tar -x`.
"""

import argparse
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from sg_core.toybox.enlarging.enlarging_course import EnlargingCourse, begin_enlarging
from sg_core.toybox.recipe import RECIPES, Recipe, recipe_for
from sg_core.toybox.training.course import Course, begin
from sg_core.toybox.training.milestone import RECORD, WEIGHTS, first_parts, read_record
from sg_core.toybox.training.optimise import Learner
from sg_core.toybox.training.turns import furthest_behind, hours_of

PIECE = 15_000_000
SIZING, CLOSING = 20.0, 45.0  # seconds to find the batch in, and kept for the end
TURN = 10.0


def parser() -> argparse.ArgumentParser:
    """The flags."""
    cuda = torch.cuda.is_available()
    flags = argparse.ArgumentParser(prog="python -m sg_core.toybox.training.sprint", description=__doc__)
    flags.add_argument("--out", type=Path, required=True, help="where the pieces, the log and the sheet go")
    flags.add_argument("--model", type=Path, help="an exported model of the recipe to go on from")
    recipes = sorted(set(RECIPES) - {"fallback"})
    flags.add_argument("--recipe", choices=recipes, default="crisp", help="what to train")
    flags.add_argument("--minutes", type=float, default=8, help="stop after this many, everything written")
    flags.add_argument("--batch", type=int, default=1024, help="the largest batch of the denoiser to try")
    flags.add_argument("--device", default="cuda" if cuda else "cpu", help="where to train")
    return flags


def main(words: Sequence[str] | None = None) -> int:
    """Size, train, export; then pack what comes back."""
    begun, flags = time.monotonic(), parser()
    args = flags.parse_args(words)
    recipe = recipe_for(args.recipe, args.device)
    if args.model and not read_record(args.model, recipe):
        flags.error(f"--model {args.model}: holds no export of the recipe {recipe.name} ({RECORD} says of which it is)")
    args.out.mkdir(parents=True, exist_ok=True)
    end = begun + 60 * args.minutes - min(CLOSING, 20 * args.minutes)
    with tempfile.TemporaryDirectory() as workspace, (args.out / "log").open("a") as log:

        def say(line: str) -> None:
            for stream in (log, sys.stdout):
                stream.write(f"{time.monotonic() - begun:6.1f} s {line}\n")
                stream.flush()

        folder = Path(workspace)
        course = begin_from(args.model, recipe, folder, args.device)
        say("begins: " + hours_of(course.trainings))
        say(size(course, args.batch, min(SIZING, 10 * args.minutes)))
        plan(course, max(1.0, end - time.monotonic()) / 3600)
        while (name := furthest_behind(course.trainings)) and time.monotonic() < end:
            say(course.turn(name, lambda: time.monotonic() > end, TURN))
        course.export(folder / "model")
        pack(folder / "model", args.out)
        (sheet,) = folder.glob("samples-*.png")
        shutil.copy(sheet, args.out / "samples.png")
        say("stopped: " + hours_of(course.trainings))
    return 0


def begin_from(model: Path | None, recipe: Recipe, folder: Path, device: str) -> Course | EnlargingCourse:
    """The course as an exported model left it; without one from the weights that ship, or from nothing."""
    if recipe.from_shipped:
        return begin_enlarging(recipe, folder, 1.0, device, model or WEIGHTS)
    if model:
        first_parts(recipe, folder, model)
    return begin(recipe, folder, 1.0, device)


def size(course: Course | EnlargingCourse, most: int, seconds: float) -> str:
    """Double the denoiser's batch while that makes it faster; returns a line for the log."""
    learner, begun = course.denoiser.learner, time.monotonic()
    batch, best, measured = learner.lesson.batch, learner.lesson.batch, dict[int, float]()
    while batch <= most and time.monotonic() - begun < seconds:
        speed = measured[batch] = pictures_a_second(course, batch, seconds / 6)
        if speed < 1.1 * measured.get(best, 0.0):
            break
        batch, best = 2 * batch, batch
    learner.lesson = replace(learner.lesson, batch=best)
    listing = ", ".join(
        f"{count}: {speed:.0f} pictures/s, {speed / count:.1f} steps/s" for count, speed in measured.items()
    )
    return f"batch {best} ({listing})"


def pictures_a_second(course: Course | EnlargingCourse, batch: int, seconds: float) -> float:
    """The denoiser's speed at a batch, learning meanwhile; the first step is not counted."""
    learner: Learner = course.denoiser.learner
    learner.lesson = replace(learner.lesson, batch=batch)
    learner.step(*course.denoiser.loss())
    begun, before = time.monotonic(), learner.pictures
    while learner.pictures == before or time.monotonic() - begun < seconds:
        learner.step(*course.denoiser.loss())
    return (learner.pictures - before) / (time.monotonic() - begun)


def plan(course: Course | EnlargingCourse, hours: float) -> None:
    """Share what is left of the time, counted from now, whatever was spent before."""
    for training in course.trainings.values():
        learner = training.learner
        learner.spent, learner.planned = 0.0, hours * learner.lesson.share


def pack(model: Path, out: Path) -> None:
    """The model's folder as one tar file in pieces under 16 MiB."""
    archive = out / "model.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(model, arcname="model")
    content = archive.read_bytes()
    archive.unlink()
    for number, start in enumerate(range(0, len(content), PIECE)):
        (out / f"model.tar.{number}").write_bytes(content[start : start + PIECE])


if __name__ == "__main__":
    raise SystemExit(main())
