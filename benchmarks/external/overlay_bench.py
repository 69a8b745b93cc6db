# SPDX-License-Identifier: MIT
"""OverLayBench (Li et al. 2025, arXiv 2509.19282): layouts whose boxes overlap, in splits simple, medium and hard.

The data set holds rows of image, image_id and annotation; the last is a Python literal, a dict with ``caption`` and
``annotations``: instance to ``bbox`` (x1, y1, x2, y2 in a frame of 1024 x 1024), ``category`` and ``local_prompts``.
What is read here is a split without its pictures, a JSON line a row, in a file with the split's name, as
``load_dataset("cywang143/OverLayBench_Eval", split="simple").remove_columns("image").to_json("simple.jsonl")`` writes.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.external.request import Box, ExternalRequest, SampleError, fraction, saying

SIDE = 1024


def requests(file: Path) -> Iterator[ExternalRequest]:
    """Every sample. Raises SampleError for a file of another form."""
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if line.strip():
            yield request(row_of(line, f"{file}:{number}"), file.stem)


def row_of(line: str, place: str) -> dict[str, Any]:
    """One line's image_id and annotation."""
    try:
        row = json.loads(line)
        annotation = row["annotation"]
        return {"image_id": str(row["image_id"]), "annotation": read(annotation)}
    except (ValueError, SyntaxError, TypeError, KeyError) as error:
        raise SampleError(f"{place} is no row of OverLayBench: {type(error).__name__}: {error}") from error


def read(annotation: Any) -> Any:
    """The annotation, written as a Python literal or already an object."""
    return ast.literal_eval(annotation) if isinstance(annotation, str) else annotation


def request(row: Mapping[str, Any], split: str) -> ExternalRequest:
    """One row. Instances of one category share their phrase, and with it their region."""
    name, annotation = row["image_id"], row["annotation"]
    boxes: dict[str, list[Box]] = {}
    try:
        for instance in annotation["annotations"].values():
            boxes.setdefault(instance["category"], []).append(fraction(instance["bbox"], SIDE, name))
        prompt = saying(annotation["caption"], list(boxes))
    except (KeyError, AttributeError, TypeError) as error:
        raise SampleError(f"{name}: the annotation has no {error}") from error
    return ExternalRequest(name, split, prompt, boxes, f"{split}/{{seed}}/{name}.png")
