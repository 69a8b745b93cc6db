# SPDX-License-Identifier: MIT
"""Everything in a folder that may be a model: a few kinds of files, and folders in diffusers' format.

Folders are walked without following circles, as deep as people sort their models, and not for ever: a folder of a
million entries that are no models costs some seconds in the background, and a longer one is given up with a sentence.
Files are only named here, none is opened.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

DEPTH = 8  # folders in folders
ENTRIES = 1_000_000  # of one named folder, until it is enough
WEIGHTS = frozenset({".safetensors", ".sft"})
PICKLED = frozenset({".ckpt", ".pt", ".pth", ".bin"})
QUANTISED = frozenset({".gguf"})
UNFINISHED = frozenset({".part", ".partial", ".crdownload", ".download", ".incomplete", ".aria2", ".tmp"})
SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "blobs"})
SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})$")
INDEX = "model_index.json"


@dataclass(frozen=True)
class CandidateFile:
    """A file that may be a model, of several pieces where it has ``shards``, or a folder in diffusers' format."""

    path: Path
    is_folder: bool = False
    shards: tuple[Path, ...] = ()


class TooMany(Exception):
    """A folder that holds more than anybody's models."""


@dataclass
class Walk:
    """One walk: ``rest`` is called now and then, and may raise to end it. ``entries`` counts those of a named folder;
    whoever goes on to the next one begins it anew."""

    rest: Callable[[], None]
    entries: int = 0
    visited: set[tuple[int, int]] = field(default_factory=set)

    def candidates(self, folder: Path, depth: int = DEPTH) -> Iterator[CandidateFile]:
        """Those of a folder, by name, then those of the folders in it. Raises TooMany, and what ``rest`` raises."""
        files, folders = self._read(folder)
        if INDEX in files:
            yield CandidateFile(folder, is_folder=True)
            return
        yield from _grouped(folder, files)
        for name in sorted(folders):
            if Path(name).suffix.lower() in (*WEIGHTS, *PICKLED, *QUANTISED):
                yield CandidateFile(folder / name)  # a folder that is called like a file
            if depth and not name.startswith(".") and name not in SKIPPED:
                yield from self.candidates(folder / name, depth - 1)

    def _read(self, folder: Path) -> tuple[set[str], list[str]]:
        """The names of a folder's files that matter, and of its folders; neither of one that was read before."""
        files: set[str] = set()
        folders: list[str] = []
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in self.visited and status.st_ino:
                return files, folders
            self.visited.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    self._count()
                    if _is_folder(entry):
                        folders.append(entry.name)
                    elif entry.name == INDEX or _matters(entry.name):
                        files.add(entry.name)
        except OSError:  # it has gone, or is not ours to read
            return set(), []
        return files, folders

    def _count(self) -> None:
        self.entries += 1
        if self.entries % 1000 == 0:
            self.rest()
        if self.entries > ENTRIES:
            raise TooMany


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circle of links
        return False


def _matters(name: str) -> bool:
    path = Path(name)
    suffix, inner = path.suffix.lower(), Path(path.stem).suffix.lower()
    if suffix in UNFINISHED:
        return inner in (*WEIGHTS, *PICKLED, *QUANTISED)
    return suffix in (*WEIGHTS, *PICKLED, *QUANTISED)


def _grouped(folder: Path, names: set[str]) -> Iterator[CandidateFile]:
    """A candidate a file; one for all pieces of a model; none for what is pickled beside the same as safetensors."""
    pieces: dict[str, list[str]] = {}
    plain = any(Path(name).suffix.lower() in WEIGHTS for name in names)
    for name in sorted(names):
        stem, suffix = Path(name).stem, Path(name).suffix.lower()
        if match := SHARD.match(stem):
            pieces.setdefault(f"{match['stem']}{suffix}", []).append(name)
        elif not (suffix in PICKLED and (f"{stem}.safetensors" in names or (suffix == ".bin" and plain))):
            yield CandidateFile(folder / name)
    for first, *others in pieces.values():
        if Path(first).suffix.lower() not in PICKLED or not plain:
            yield CandidateFile(folder / first, shards=tuple(folder / name for name in (first, *others)))
