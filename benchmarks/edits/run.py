# SPDX-License-Identifier: MIT
"""Is the look kept, and does nothing else change? Edits of drawn scenes, measured by Judges that see the pictures."""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.edits.changes import EditRow
from benchmarks.edits.drawing import draw_cases
from benchmarks.edits.kinds import EDITS
from benchmarks.edits.painter import EditPainter
from benchmarks.edits.results import EditFigures, intervals, leading, summary
from benchmarks.placement.work import Bench, equipment, threads
from benchmarks.sheet import grid, to_image

CASES, QUICK = 40, 6
STEPS = 8  # with masks and energies as good as thirty
TIMED_CASES = 3
STRIPS = 8  # rows of a sheet


def main(words: Sequence[str] | None = None) -> int:
    """``maquette bench edits``."""
    args = parser().parse_args(words)
    count = args.cases or (QUICK if args.quick else CASES)
    model, judges = equipment(Bench(args.model, args.judges))
    first, *others = judges
    painter = EditPainter(model, judges[first], args.steps, refinement=args.refinement)
    with threads(1):
        rows = {
            name: [EDITS[name](painter, judges, case, args.seed) for case in chosen(name, count)] for name in args.edits
        }
    if args.sheets:
        save_sheets(rows, args.sheets)
    figures = summary(rows, first)
    report: EditFigures = leading(figures) | {name: leading(summary(rows, name)) for name in others}
    report["intervals"] = intervals(figures)
    if args.json:
        print(json.dumps(report))
        return 0
    print(f"{count} cases, {args.steps} steps, seed {args.seed}; with 95 % intervals, by the first Judge")
    for line in table(figures):
        print(line)
    print(json.dumps(report))
    return 0


def chosen(edit: str, count: int) -> Iterator[Any]:
    """The cases of an edit, with a bar for how many are done."""
    number = min(count, TIMED_CASES) if edit == "cost" else count
    yield from tqdm(draw_cases(number), desc=edit, unit="case", total=number)


def table(figures: EditFigures, path: str = "") -> Iterator[str]:
    """A line a figure: where it stands, its value, its interval."""
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from table(value, f"{path}{name} ")
        elif isinstance(value, list):
            yield f"{path + name:48} {value[0]:8.4f}   ({value[1]:.4f} to {value[2]:.4f})"
        else:
            yield f"{path + name:48} {value:8.4f}"


def save_sheets(rows: dict[str, list[EditRow]], folder: Path) -> None:
    """A strip a case of each edit: before, and what became of it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, of_edit in rows.items():
        strips = [[to_image(picture) for picture in row["pictures"]] for row in of_edit[:STRIPS] if row["pictures"]]
        if strips:
            grid(strips).save(folder / f"{name}.png")


def parser() -> argparse.ArgumentParser:
    """The flags of ``maquette bench edits``."""
    flags = argparse.ArgumentParser(prog="maquette bench edits", description=__doc__)
    flags.add_argument("--json", action="store_true", help="print one JSON line instead of a table")
    flags.add_argument("--quick", action="store_true", help=f"{QUICK} cases of each edit instead of {CASES}")
    flags.add_argument("--cases", type=int, help="of each edit")
    flags.add_argument("--edits", nargs="+", choices=EDITS, default=list(EDITS), help="all by default")
    flags.add_argument("--steps", type=int, default=STEPS, help="of each picture")
    flags.add_argument("--refinement", type=float, default=0.0, help="the part of the steps that is painted again")
    flags.add_argument("--seed", type=int, default=1, help="of each reference; the floor has another one")
    flags.add_argument("--model", default="toybox", help="a model's name or folder")
    flags.add_argument("--judges", default="toybox", help="the model whose Judges look")
    flags.add_argument("--sheets", type=Path, help="a folder for strips of the first cases")
    return flags
