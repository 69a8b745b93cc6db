# SPDX-License-Identifier: MIT
"""Rows of a long measurement, kept in a file as they are made, so that an interrupted run goes on where it stopped.

A row's key is a digest of all that its picture depends on: the case, the method with its settings and its code, the
seed and steps, the model's and the Judges' files and the method's own code. What changes none of these keeps its rows.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.placement.cases import Case

ROOT = Path(__file__).parents[2]
SHARED = (  # what every picture and its figures are made by, whatever the method
    "sg_core/**/*.py",
    "benchmarks/baselines/attention.py",
    "benchmarks/baselines/loop.py",
    "benchmarks/placement/measures.py",
)

NO_PART = ("sg_core/toybox/scenes", "sg_core/toybox/training")  # of no picture, but of the model's own files

ResultRow = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """A folder with ``rows.jsonl``, a line a row."""

    folder: Path

    @property
    def file(self) -> Path:
        """Where the rows are."""
        return self.folder / "rows.jsonl"

    def read(self) -> dict[str, ResultRow]:
        """Every whole row by its key; a line that an interruption cut short is passed over."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        return {row["key"]: row for line in lines for row in parsed(line)}

    def add(self, rows: Iterable[ResultRow]) -> Iterator[ResultRow]:
        """Write rows as they come, and hand them on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write("\n")  # so that a line cut short before stays alone
            for row in rows:
                file.write(json.dumps(row) + "\n")
                file.flush()
                yield row


def parsed(line: str) -> list[ResultRow]:
    """The row of a line, if it is one."""
    try:
        return [json.loads(line)]
    except ValueError:
        return []


def digest(*facts: Any) -> str:
    """Of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=list).encode()).hexdigest()[:24]


def case_digest(case: Case) -> str:
    """Of a prompt and its masks, whatever the case is called."""
    planes = [np.packbits(plane > 0.5).tobytes().hex() for t in case.targets for plane in (t.mask, t.whole, t.front)]
    return digest(case.prompt, [target.noun for target in case.targets], planes)


@cache
def files_digest(folder: Path) -> str:
    """Of every file in a folder, such as a model's."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in {".json", ".safetensors"})
    return digest([[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files])


@cache
def code_digest(patterns: Sequence[str] = SHARED) -> str:
    """Of what source files do: their syntax without comments and docstrings, so that words may change."""
    files = {path for pattern in patterns for path in ROOT.glob(pattern)}
    paths = sorted(path for path in files if not any(path.is_relative_to(ROOT / folder) for folder in NO_PART))
    return digest([[path.name, ast.dump(without_docstrings(ast.parse(path.read_text("utf-8"))))] for path in paths])


def without_docstrings(tree: ast.AST) -> ast.AST:
    """A tree without docstrings."""
    for node in ast.walk(tree):
        kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return tree
