# SPDX-License-Identifier: MIT
"""Train Toybox, all parts in turns; stop it at any moment, run it again to go on."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Protocol

import torch

from sg_core.errors import RequestError
from sg_core.toybox.enlarging.enlarging_course import begin_enlarging
from sg_core.toybox.recipe import RECIPES, recipe_for
from sg_core.toybox.training.checkpoint import point, training_folder
from sg_core.toybox.training.course import begin
from sg_core.toybox.training.turns import Training, furthest_behind, hours_of, save_fresh

SAVED, EXPORTED = 300.0, 3600.0


class Trained(Protocol):
    """A whole training: the folder of its checkpoints, its parts by name, one turn of a part, and what is exported."""

    folder: Path

    @property
    def trainings(self) -> Mapping[str, Training]: ...

    def turn(self, name: str, over: Callable[[], bool]) -> str: ...

    def export(self, folder: Path) -> None: ...


def parser() -> argparse.ArgumentParser:
    """The flags of `maquette toybox train`."""
    recipe = "full" if torch.cuda.is_available() else "sharp"
    parser = argparse.ArgumentParser(prog="maquette toybox train", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after this many minutes; run again to go on")
    parser.add_argument("--hours", type=float, help="core-hours planned in all; without it the recipe's")
    parser.add_argument("--recipe", choices=sorted(set(RECIPES) - {"fallback"}), default=recipe, help="what to train")
    parser.add_argument("--folder", type=Path, help="where scenes and checkpoints go; without it the cache folder")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; 0 leaves torch's own choice")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Train until the plan is fulfilled, `--minutes` are over or a signal asks to stop; then save and export."""
    args = parser().parse_args(words)
    if args.threads:
        torch.set_num_threads(args.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    recipe = recipe_for(args.recipe, device)
    folder = args.folder or training_folder(recipe.name)
    folder.mkdir(parents=True, exist_ok=True)
    claim(folder)
    stop = Stop()
    begins = begin_enlarging if recipe.from_shipped else begin
    course: Trained = begins(recipe, folder, args.hours or recipe.hours, device)
    say(folder, "begins: " + hours_of(course.trainings))
    run(course, folder, stop, time.monotonic() + 60 * args.minutes)
    save_fresh(course.trainings, course.folder)
    course.export(folder / "model")
    say(folder, "stopped: " + hours_of(course.trainings))
    return 0


def run(course: Trained, folder: Path, stop: "Stop", end: float) -> None:
    """Turns, until nothing is due; checkpoints every five minutes, the model as a folder every hour."""
    saved = exported = time.monotonic()
    while (name := furthest_behind(course.trainings)) and not stop.asked and time.monotonic() < end:
        say(folder, course.turn(name, lambda: stop.asked or time.monotonic() > end))
        if time.monotonic() - saved > SAVED:
            save_fresh(course.trainings, course.folder)
            saved = time.monotonic()
        if time.monotonic() - exported > EXPORTED:
            course.export(folder / "model")
            exported = time.monotonic()


class Stop:
    """Whether a signal asked to stop; it is noticed between two steps."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask)

    def ask(self, number: int, frame: FrameType | None) -> None:
        """A signal's handler."""
        self.asked = True


def claim(folder: Path) -> None:
    """Write our process id; raises RequestError while another training of this folder is alive."""
    file = folder / "pid"
    if file.exists() and (other := int(file.read_text())) != os.getpid() and trains(other):
        raise RequestError(f"{folder} is being trained by process {other}: stop that first (kill {other})")
    point(file, str(os.getpid()))


def trains(process: int) -> bool:
    """Whether that process lives and is a training: ids are given anew after a restart."""
    line = Path(f"/proc/{process}/cmdline")
    return line.exists() and b"train" in line.read_bytes()


def say(folder: Path, words: str) -> None:
    """A line of the log, with the time, and on the screen."""
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {words}\n"
    with (folder / "log").open("a") as log:
        log.write(line)
    sys.stdout.write(line)
    sys.stdout.flush()
