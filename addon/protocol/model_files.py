# SPDX-License-Identifier: MIT
"""The files and folders that may be models, in the folders that an artist named; and where those names are kept.

The names are a JSON list of paths in the home folder, for the server that runs there to watch and for its user alone to
write: a folder that is added in Blender is looked through at once. Standard library only.
"""

import json
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from .answers import Count
from .blockout import Name, Text
from .paths import home
from .strict_json import Length, Record

__all__ = [
    "FILES",
    "FOLDERS_FILE",
    "Fit",
    "FoldersUnreadable",
    "Library",
    "ModelFile",
    "ModelFolder",
    "folders_path",
    "listed_folders",
    "read_folders",
    "write_folders",
]

FILES = 2000  # that are listed; more would be no list
FOLDERS = 100
FOLDERS_FILE = "model-folders.json"
Fit = Literal["", "fits", "too large"]


@dataclass(frozen=True, kw_only=True)
class ModelFile(Record):
    """A file or folder that may be a model, of so many ``bytes``; ``kind`` says what it is, in a word or two.

    ``name`` is the one that it is offered under, else what the file is called; ``trouble`` says why it cannot be
    painted with, and is empty where it can. A guided picture of its own size ``needs`` so many bytes of memory, 0 while
    nobody has counted; whether it ``fits`` the server's device follows from that.
    """

    name: Name
    path: Text
    kind: Name
    family: Text = ""
    bytes: Count = 0
    licence: Text = ""
    needs: Count = 0
    fits: Fit = ""
    trouble: Text = ""


@dataclass(frozen=True, kw_only=True)
class ModelFolder(Record):
    """A folder that was named, what it was taken for, and why it is not looked through, or not to its end."""

    path: Text
    kind: Text = ""
    trouble: Text = ""


@dataclass(frozen=True, kw_only=True)
class Library(Record):
    """What lies in the folders: models first, by name. ``scanning`` says that they are being looked through for the
    first time, ``counting`` that what some of them need is not known yet; ``left_out`` counts the files beyond those
    that are listed. ``memory`` is that of the device, in bytes, or of the machine where that is not ``on_gpu``;
    ``card_faults`` say which files of cards are wrong, and where.
    """

    folders: Annotated[tuple[ModelFolder, ...], Length(0, FOLDERS)] = ()
    files: Annotated[tuple[ModelFile, ...], Length(0, FILES)] = ()
    scanning: bool = False
    counting: bool = False
    left_out: Count = 0
    memory: Count = 0
    on_gpu: bool = False
    card_faults: Annotated[tuple[Text, ...], Length(0, FOLDERS)] = ()


def folders_path() -> Path:
    """The file that has the folders of models."""
    return home() / FOLDERS_FILE


class FoldersUnreadable(Exception):
    """The list of folders is there, and cannot be taken at its word: to write it anew would lose it."""


def read_folders(path: Path) -> tuple[Path, ...]:
    """The folders that are named in the file; none where it is absent, damaged, or others may write it."""
    try:
        return listed_folders(path)[:FOLDERS]
    except FoldersUnreadable:
        return ()


def listed_folders(path: Path) -> tuple[Path, ...]:
    """All that the file names, for who writes it anew; none where it is absent. Raises FoldersUnreadable."""
    try:
        others = path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        names = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:
        raise FoldersUnreadable(f"it cannot be read ({error}): mend it, or delete it") from error
    if others and sys.platform != "win32":
        raise FoldersUnreadable("others may write it: take that right from them")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FoldersUnreadable("it is no list of paths: mend it, or delete it")
    return tuple(Path(name) for name in names if name)


def write_folders(path: Path, folders: Sequence[Path]) -> None:
    """Name these folders, and no others. Raises OSError where there is no place to write."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump([str(folder) for folder in dict.fromkeys(folders)], file)
    part.replace(path)
