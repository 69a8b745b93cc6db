# SPDX-License-Identifier: MIT
"""Cards that artists write: defaults of a model or of a family, as TOML files in a folder.

    [family.stable-diffusion-xl]
    steps = 25

    [model."dreamer*"]
    scale = 4.0
    layers = ["mid_block", "up_blocks.0"]

Files are read by name, and what comes later counts; a model's own word counts more than its family's. One that is wrong
is said with its line, and costs nobody but itself. All of it is read again when a file changes.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from addon.protocol.answers import ModelInfo
from addon.protocol.default_model import TOYBOX
from addon.protocol.strict_json import ContractError, dump, load

from ..catalogue import facts
from ..fingerprints import carded
from ..unique_names import printable

KEYS = (
    *("licence", "note", "area", "multiple", "steps", "scale", "strength", "emphasis", "refinement"),
    *("layers", "guided_by", "reference", "scheduler", "preview"),
)
KINDS: Mapping[str, tuple[type, ...]] = {"text": (str,), "integer": (int,), "number": (int, float), "list": (list,)}
NUMBERS = ("scale", "strength", "emphasis", "refinement")
GUIDED_BY = ("pass", "input", "nothing")
SIZE = 100_000  # bytes of a file, and FILES of them; what artists write has some hundred
FILES = 500
CardValues = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class CardTable:
    """One table of a file: which models it is about, and what it says."""

    kind: str  # "family" or "model"
    pattern: str
    values: CardValues


class CardFiles:
    """The cards of a folder, as they are now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks: tuple[tuple[str, int, int], ...] | None = None
        self._tables: tuple[CardTable, ...] = ()
        self._faults: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with files of it, in sentences."""
        self._read()
        return self._faults

    def values(self, model: ModelInfo) -> CardValues:
        """What they say of a model, each fact once."""
        self._read()
        return self._values(model)

    def applied(self, models: Sequence[ModelInfo]) -> tuple[ModelInfo, ...]:
        """The models with the defaults that they say; one as it was where those do not fit it."""
        self._read()
        return tuple(map(self._applied, models))

    def stated(self, models: Sequence[ModelInfo]) -> tuple[ModelInfo, ...]:
        """The models as clients are told of them: with those defaults, and fingerprints that count what they say."""
        carded_models = zip(models, self.applied(models), strict=True)
        return tuple(
            replace(applied, fingerprint=carded(model.fingerprint, self._values(model)))
            for model, applied in carded_models
        )

    def _values(self, model: ModelInfo) -> CardValues:
        merged: dict[str, Any] = {}
        for kind, name in (("family", model.family), ("model", model.name)):
            for table in self._tables:
                if table.kind == kind and fnmatchcase(name, table.pattern):
                    merged |= dict(table.values)
        return tuple(sorted(merged.items()))

    def _applied(self, model: ModelInfo) -> ModelInfo:
        own = {field.name for field in fields(ModelInfo)}
        values = {key: value for key, value in self._values(model) if key in own}
        try:
            return load(ModelInfo, dump(model) | values) if values else model
        except ContractError:  # each alone is within its bounds, so this is of what a record says of several
            return model

    def _read(self) -> None:
        files = _files(self._folder)
        marks = tuple((file.name, status.st_mtime_ns, status.st_size) for file, status in files)
        if marks == self._marks:
            return
        tables: list[CardTable] = []
        faults: list[str] = []
        for file, _ in files:
            try:
                tables += _tables(file)
            except (OSError, ValueError) as error:
                faults.append(printable(f"{file}: {error}."))
            except RecursionError:
                faults.append(printable(f"{file}: it holds tables in tables without end."))
        self._marks, self._tables, self._faults = marks, tuple(tables), tuple(faults)


def _files(folder: Path) -> list[tuple[Path, Any]]:
    try:
        paths = sorted(path for path in folder.glob("*.toml") if path.is_file())[:FILES]
        return [(path, path.stat()) for path in paths]
    except OSError:
        return []


def _tables(file: Path) -> list[CardTable]:
    """The tables of a file. Raises OSError, and ValueError with the line that is wrong."""
    if file.stat().st_size > SIZE:
        raise ValueError("it is too long for a card")
    text = file.read_text("utf-8")
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it holds lists in lists without end") from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"line {line[1]}" if line else f"line {text.count(chr(10)) + 1}"
        raise ValueError(f"{where} is no TOML ({str(error).partition(' (at')[0]})") from error
    return [
        CardTable(kind, pattern, tuple(sorted(_checked(values, text, (kind, pattern)).items())))
        for kind, tables in document.items()
        for pattern, values in _named(kind, tables, text)
    ]


def _named(kind: str, tables: Any, text: str) -> Iterator[tuple[str, Any]]:
    """The tables of a kind, by what they are about. Raises ValueError."""
    if kind not in ("family", "model") or not isinstance(tables, dict):
        what = f'says {kind!r}; a card begins with [family.NAME] or [model."NAME"]'
        raise ValueError(f"line {_line(text, (kind,))} {what}")
    for pattern, values in tables.items():
        if not isinstance(values, dict):
            line = _line(text, (pattern,))
            raise ValueError(f"line {line} says {pattern!r} of no model: write [{kind}.NAME] above it")
        families = facts()["families"]
        if kind == "family" and not any(fnmatchcase(family, pattern) for family in families):
            names = ", ".join(families)
            raise ValueError(f"line {_line(text, (pattern,))} names no family {pattern!r}; there is {names}")
        yield pattern, values


def _checked(values: Mapping[str, Any], text: str, path: Sequence[str]) -> dict[str, Any]:
    """What a table says, where a card may say it. Raises ValueError."""
    kinds: Mapping[str, str] = {**facts()["card.json"], "preview": "text"}  # a folder, which no model's own card names
    for key, value in values.items():
        line = f"line {_line(text, (*path, key))}"
        if key not in KEYS:
            raise ValueError(f"{line} says {key!r}; a card may say {', '.join(KEYS)}")
        if isinstance(value, bool) or not isinstance(value, KINDS[kinds[key]]):
            raise ValueError(f"{line}: {key} must be of the kind {kinds[key]}, and is {value!r}")
        if problem := _beyond(key, value):
            raise ValueError(f"{line}: {key} {problem}")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _beyond(key: str, value: Any) -> str:
    """Why no model can have this value; "" where one can."""
    if key == "layers":
        return "" if all(isinstance(layer, str) and layer for layer in value) else "must be a list of names"
    if key == "guided_by":
        return "" if value in GUIDED_BY else f"must be one of {', '.join(GUIDED_BY)}"
    if key == "reference":
        return "" if 0 < value <= 100 else f"must lie above 0, is {value}"
    if key in ("note", "preview"):
        return ""
    try:
        load(ModelInfo, dump(TOYBOX) | {key: float(value) if key in NUMBERS else value})
    except ContractError as error:
        return error.problem
    return ""


def _line(text: str, path: Sequence[str]) -> int:
    """Where a key stands: the first line that begins with it, below the heads of its tables; 1 where none does."""
    lines, first = text.splitlines(), 0
    for word in path:
        pattern = re.compile(rf"""^\s*(\[.*["'.]?)?["']?{re.escape(word)}\b""")
        first = next((i for i in range(first, len(lines)) if pattern.match(lines[i])), first)
    return first + 1
