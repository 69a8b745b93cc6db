# SPDX-License-Identifier: MIT
"""7Bench (Izzo, Parolari, Vezzaro, Ballan 2025, github.com/Elizzo/7Bench): ``benchmark/7bench.csv``.

Columns id, category, prompt, then obj1, bbox1 to obj4, bbox4, empty where there are fewer objects; a box is
"x_min,y_min,x_max,y_max" in a frame of 512 x 512.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.external.request import Box, ExternalRequest, SampleError, fraction

SIDE = 512
OBJECTS = range(1, 5)
NEEDED = frozenset({"id", "category", "prompt", "obj1", "bbox1"})


def requests(file: Path) -> Iterator[ExternalRequest]:
    """Every sample. Raises SampleError for a file of another form."""
    with file.open(newline="", encoding="utf-8") as text:
        rows = csv.DictReader(text)
        if missing := NEEDED - set(rows.fieldnames or ()):
            raise SampleError(f"{file} is no 7bench.csv: it has no column {', '.join(sorted(missing))}")
        yield from map(request, rows)


def request(row: Mapping[str, str]) -> ExternalRequest:
    """One line."""
    boxes: dict[str, list[Box]] = {}
    for index in OBJECTS:
        if phrase := (row.get(f"obj{index}") or "").strip():
            boxes.setdefault(phrase, []).append(corners(row.get(f"bbox{index}") or "", row["id"]))
    return ExternalRequest(row["id"], row["category"], row["prompt"], boxes, f"{{seed}}/{row['id']}.png")


def corners(text: str, name: str) -> Box:
    """A box as the file writes it."""
    try:
        numbers = [float(number) for number in text.strip("()").split(",")]
    except ValueError as error:
        raise SampleError(f"{name}: {text!r} is no box (x_min,y_min,x_max,y_max)") from error
    return fraction(numbers, SIDE, name)
