# SPDX-License-Identifier: GPL-3.0-or-later
"""What was painted, on disk: a PNG and a JSON file for each picture, whichever .blend asked for it. No bpy.

The files' name is the picture's sha256, so that the same picture is never there twice. An empty file beside them makes
a favourite, which no cap ever deletes. Every file is whole or absent, so any number of Blenders may share the folder.
"""

import json
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from ..protocol.records import Achieved, Blockout, Digest
from ..protocol.strict_json import ContractError, Key, dump, loads
from ..request.settings import Settings

COUNT, BYTES = 500, 2**30  # of pictures that are no favourites
IN_FILE = 24  # pictures a .blend remembers beside its favourites
THUMB_SIDE = 128  # pixels of a thumbnail's longer side

NAME = re.compile("[0-9a-f]{64}")
LISTED = {".png", ".json"}


@dataclass(frozen=True, kw_only=True)
class Thumb:
    """A small picture: RGB bytes, rows from the bottom, zlib, then base64."""

    width: int
    height: int
    data: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One picture and all that it takes to ask for it again. ``created`` in Unix seconds; ``pose`` as a Viewpoint's."""

    name: Digest
    created: float
    request: Blockout
    settings: Annotated[Settings, Key("wish")]
    pose: tuple[float, ...]
    thumb: Thumb
    achieved: tuple[Achieved, ...] = ()

    @property
    def caption(self) -> str:
        """Seed, model, style, settings and time in a line."""
        asked, when = self.request, datetime.fromtimestamp(self.created)
        style = f" · {self.settings.style}" if self.settings.style else ""
        settings = f"{asked.steps} steps · strength {asked.strength:.2f}"
        return f"Seed {asked.seed} · {asked.model}{style} · {settings} · {when:%d %b %Y, %H:%M}"


@dataclass(frozen=True)
class Line:
    """What the folder's listing says of a picture; ``told`` when there is a JSON file that tells of it."""

    name: str
    created: float
    bytes: int
    favourite: bool
    told: bool


def text(entry: Entry) -> str:
    """An entry as JSON, as it stands on disk and in a .blend."""
    return json.dumps(dump(entry))


def request(entry: Entry) -> str:
    """The entry's blockout as JSON."""
    return json.dumps(dump(entry.request))


def parse(document: str | bytes) -> Entry:
    """The entry of a JSON text. Raises ContractError."""
    return loads(Entry, document)


def keep(folder: Path, entry: Entry) -> None:
    """Write an entry beside its picture. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _file(folder, entry.name, "json")
    part = path.with_suffix(".part")
    part.write_text(text(entry), "utf-8")
    part.replace(path)


def find(folder: Path, name: str) -> Entry:
    """The entry of that name. Raises OSError and ContractError."""
    return parse(_file(folder, name, "json").read_bytes())


def picture(folder: Path, name: str) -> Path | None:
    """The full picture, while it is on disk."""
    path = _file(folder, name, "png")
    return path if path.exists() else None


def prune(folder: Path) -> None:
    """Delete the oldest pictures beyond the caps."""
    for line in surplus(listing(folder)):
        forget(folder, line.name)


def forget(folder: Path, name: str) -> None:
    """Delete a picture from disk. Its JSON goes first: what is left by a crash in between is pruned in its time."""
    for kind in ("json", "favourite", "png"):
        _file(folder, name, kind).unlink(missing_ok=True)


def favour(folder: Path, name: str, favourite: bool) -> None:
    """Make a picture a favourite, or an ordinary one again. Raises OSError."""
    mark = _file(folder, name, "favourite")
    if favourite:
        folder.mkdir(parents=True, exist_ok=True)
        mark.touch()
    else:
        mark.unlink(missing_ok=True)


def listing(folder: Path) -> list[Line]:
    """What is there, newest first, without opening a file."""
    found: dict[str, dict[str, os.stat_result]] = defaultdict(dict)
    for path in folder.glob("*.*"):
        try:
            found[path.stem][path.suffix] = path.stat()
        except FileNotFoundError:  # another Blender has just deleted it
            continue
    lines = [_line(name, files) for name, files in found.items() if NAME.fullmatch(name) and LISTED & files.keys()]
    return sorted(lines, key=lambda line: line.created, reverse=True)


def surplus(lines: Iterable[Line], count: int = COUNT, size: int = BYTES) -> list[Line]:
    """Of lines newest first: those beyond ``count`` pictures or ``size`` bytes. Favourites neither go nor count."""
    spare = []
    for line in lines:
        if line.favourite:
            continue
        count, size = count - 1, size - line.bytes
        if count < 0 or size < 0:
            spare.append(line)
    return spare


def save_as(folder: Path, name: str, where: Path) -> None:
    """Copy the full picture, which carries its request, to a place of the artist's. Raises OSError."""
    shutil.copyfile(_file(folder, name, "png"), where)


def _file(folder: Path, name: str, kind: str) -> Path:
    """A file of a picture. Names come out of .blend files, which come from anywhere: they lead nowhere else."""
    if not NAME.fullmatch(name):
        raise ContractError("name", f"{name!r} is no sha256")
    return folder / f"{name}.{kind}"


def _line(name: str, files: dict[str, os.stat_result]) -> Line:
    told = ".json" in files
    newest = files[".json" if told else ".png"].st_mtime
    return Line(name, newest, sum(stat.st_size for stat in files.values()), ".favourite" in files, told)
