# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequences on disk: a folder each, in it a numbered picture a frame for every camera, and what each was asked for.

CAMERA/0001.png is frame 1. A line of ``painted.jsonl`` is written only once its picture is there, so that whoever
quits, or is killed, goes on where it stopped: what an earlier sequence has painted is not painted again. No bpy.
"""

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from ...protocol.file_names import portable
from ...protocol.strict_json import ContractError, Record, dump, loads
from ...session.sequence import SequenceFrame

LIST = "painted.jsonl"
CONSECUTIVE = "held"  # a folder of a camera's: every number from 1 on, with the picture before where there is none


@dataclass(frozen=True, kw_only=True)
class PaintedFrame(Record):
    """A line of the list: the content key of a picture, and its file in the sequence's folder."""

    key: str
    file: str


def new_folder(root: Path, title: str) -> Path:
    """A folder that was not there before, named for what is in it. Raises OSError."""
    root.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        folder = root / f"{portable(title)}-{number:03d}"
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("count never ends")


def painted_before(root: Path) -> dict[str, Path]:
    """By their content keys, all pictures that lie in the sequences under ``root``; of a list that cannot be read none,
    for they can be painted again."""
    pictures: dict[str, Path] = {}
    for path in sorted(root.glob(f"*/{LIST}")):
        lines: Sequence[bytes] = ()
        with suppress(OSError):
            lines = path.read_bytes().splitlines()
        for line in lines:
            with suppress(ContractError, UnicodeDecodeError):  # cut short by whoever was killed
                row = loads(PaintedFrame, line)
                if (path.parent / row.file).is_file():
                    pictures[row.key] = path.parent / row.file
    return pictures


def name_of_frame(camera: str, frame: int) -> str:
    """Where a picture lies in its sequence's folder."""
    return f"{portable(camera)}/{frame:04d}.png"


def keep(folder: Path, file: str, picture: Path, key: str) -> Path:
    """Put a picture into a sequence, whole or not at all, and only then onto its list. Raises OSError."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    duplicate(picture, path)
    with (folder / LIST).open("ab") as lines:
        lines.write(json.dumps(dump(PaintedFrame(key=key, file=file))).encode() + b"\n")
    return path


def duplicate(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the disk knows no links. Raises OSError."""
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    part.replace(target)
    part.unlink(missing_ok=True)  # to rename a file to what is the same file already does nothing


def consecutive(folder: Path, frames: Sequence[SequenceFrame]) -> tuple[Path, ...]:
    """A file for every frame from the first to the last of one camera's, numbered without a gap, as Blender plays them.

    They are its own where they are so already; else links in a folder beside them, where a frame that was not painted
    holds the picture before it. Raises OSError.
    """
    by_number = {frame.frame: folder / frame.file for frame in frames}
    first, last = min(by_number), max(by_number)
    if first > 0 and len(by_number) == last - first + 1:
        return tuple(by_number[number] for number in range(first, last + 1))
    target_folder = by_number[first].parent / CONSECUTIVE
    target_folder.mkdir(exist_ok=True)
    files = []
    for number in range(first, last + 1):
        picture = by_number.get(number) or by_number[max(other for other in by_number if other < number)]
        files.append(target_folder / f"{number - first + 1:04d}.png")
        duplicate(picture, files[-1])
    return tuple(files)
