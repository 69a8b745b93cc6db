# SPDX-License-Identifier: GPL-3.0-or-later
"""Finished pictures on disk: a PNG and a JSON file for each, whichever .blend asked for it. No bpy.

The files' name is the picture's sha256, so that the same picture is never there twice. An empty file beside them makes
a favourite, which no cap ever deletes. Every file is whole or absent, so any number of Blenders may share the folder.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import zlib
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from ..protocol.answers import Achieved, Digest
from ..protocol.blockout import Blockout
from ..protocol.strict_json import ContractError, Key, dump, loads
from ..request.adapters import summary
from ..request.settings import Settings

COUNT, BYTES = 500, 2**30  # of pictures that are no favourites
IN_FILE = 24  # pictures a .blend remembers beside its favourites
THUMB_SIDE = 128  # pixels of a thumbnail's longer side

NAME = re.compile("[0-9a-f]{64}")
LISTED = {".png", ".json"}
REQUEST_KEY = '"request": '  # what an entry's blockout stands behind


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
        request, created = self.request, datetime.fromtimestamp(self.created)
        style = f" · {self.settings.style}" if self.settings.style else ""
        refined = f" · {request.refinement:.0%} refined" if request.refinement else ""
        settings = f"{request.steps} steps{refined} · strength {request.strength:.2f}"
        varied = f" · {request.variation:.0%} towards seed {request.variation_seed}" if request.variation else ""
        on_top = f" · {summary(request)}" if summary(request) else ""
        return f"Seed {request.seed}{varied} · {request.model}{on_top}{style} · {settings} · {created:%d %b %Y, %H:%M}"


@dataclass(frozen=True)
class PictureFiles:
    """What the folder's listing says of a picture; ``entry`` when there is a JSON file of it."""

    name: str
    created: float
    bytes: int
    favourite: bool
    entry: bool


def text(entry: Entry) -> str:
    """An entry as JSON, as it stands on disk and in a .blend."""
    return json.dumps(dump(entry))


def request(entry: Entry) -> str:
    """The entry's blockout as JSON."""
    return json.dumps(dump(entry.request))


def asks_for(document: str, request: str) -> bool:
    """Whether the entry of a JSON text is of the blockout of another: a text holds its request's, letter for letter.

    A quarter of a millisecond for a full history, where reading it would take a hundred times that.
    """
    return f"{REQUEST_KEY}{request}, " in document


def request_digest(request: str) -> bytes:
    """What stands for a blockout's JSON text where the texts of a whole history would be too much to keep."""
    return hashlib.sha256(request.encode("utf-8")).digest()


def digest_of(folder: Path, name: str) -> bytes:
    """The ``request_digest`` of the entry of that name, without reading the rest of it; b"" where there is none.

    A twentieth of a millisecond, where reading the entry would take twenty times that.
    """
    try:
        document = _file(folder, name, "json").read_text("utf-8")
        start = document.index(REQUEST_KEY) + len(REQUEST_KEY)
        _, end = json.JSONDecoder().raw_decode(document, start)
    except (OSError, ValueError):  # deleted by another Blender, or cut short
        return b""
    return request_digest(document[start:end])


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


def prune(folder: Path) -> bool:
    """Delete the oldest pictures beyond the caps; whether there were any."""
    beyond = surplus(listing(folder))
    for files in beyond:
        forget(folder, files.name)
    return bool(beyond)


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


def is_favourite(folder: Path, name: str) -> bool:
    """Whether a picture is one."""
    return _file(folder, name, "favourite").exists()


def listing(folder: Path) -> list[PictureFiles]:
    """The folder's pictures, newest first, without opening a file."""
    stats: dict[str, dict[str, os.stat_result]] = defaultdict(dict)
    with suppress(OSError), os.scandir(folder) as files:  # no picture was ever kept, or none can be read
        for file in files:
            name, suffix = os.path.splitext(file.name)
            if NAME.fullmatch(name):
                with suppress(FileNotFoundError):  # another Blender has just deleted it
                    stats[name][suffix] = file.stat()
    pictures = [_files(name, kinds) for name, kinds in stats.items() if LISTED & kinds.keys()]
    return sorted(pictures, key=lambda files: files.created, reverse=True)


def surplus(pictures: Iterable[PictureFiles], count: int = COUNT, size: int = BYTES) -> list[PictureFiles]:
    """Of pictures newest first: those beyond ``count`` of them or ``size`` bytes. Favourites neither go nor count."""
    beyond = []
    for files in pictures:
        if files.favourite:
            continue
        count, size = count - 1, size - files.bytes
        if count < 0 or size < 0:
            beyond.append(files)
    return beyond


def save_as(folder: Path, name: str, target: Path) -> None:
    """Copy the full picture, which carries its request, to a file of the artist's. Raises OSError."""
    shutil.copyfile(_file(folder, name, "png"), target)


class RequestIndex:
    """Which picture on disk each request has. No picture's request ever changes, so each entry is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[str, bytes] = {}

    def refresh(self, most: int | None = None) -> bool:
        """Read what is new in the folder, at most so many entries, and forget what has gone; whether that was all."""
        try:
            files = (os.path.splitext(name) for name in os.listdir(self._folder))
            names = {name for name, suffix in files if suffix == ".json" and NAME.fullmatch(name)}
        except OSError:  # no picture was ever kept, or none can be read
            names = set()
        self._digests = {name: digest for name, digest in self._digests.items() if name in names}
        for name in islice(names - self._digests.keys(), most):
            self._digests[name] = digest_of(self._folder, name)
        return names == self._digests.keys()

    def find(self, request: str) -> str:
        """The name of a picture that is there of a blockout as JSON, "" without one. What is new in the folder is read
        only where none is known: to list it for each of many seeds would hold the window."""
        wanted = request_digest(request)
        if not (name := self._find(wanted)):
            self.refresh()
            name = self._find(wanted)
        return name

    def _find(self, wanted: bytes) -> str:
        names = (name for name, digest in self._digests.items() if digest == wanted)
        return next((name for name in names if picture(self._folder, name) is not None), "")


def _file(folder: Path, name: str, kind: str) -> Path:
    """A file of a picture. Names come out of .blend files, which come from anywhere: they lead nowhere else."""
    if not NAME.fullmatch(name):
        raise ContractError("name", f"{name!r} is no sha256")
    return folder / f"{name}.{kind}"


def _files(name: str, kinds: dict[str, os.stat_result]) -> PictureFiles:
    """The files of one picture, by their suffix."""
    entry = ".json" in kinds
    created = kinds[".json" if entry else ".png"].st_mtime
    return PictureFiles(name, created, sum(stat.st_size for stat in kinds.values()), ".favourite" in kinds, entry)


def thumb(picture: NDArray[np.float32]) -> Thumb:
    """A picture no longer than THUMB_SIDE, packed small enough for every .blend to carry some."""
    rows = (picture[..., :3].clip(0.0, 1.0) * 255).round().astype(np.uint8)
    data = base64.b64encode(zlib.compress(rows.tobytes(), 9)).decode("ascii")
    return Thumb(width=rows.shape[1], height=rows.shape[0], data=data)


def thumb_pixels(thumb: Thumb) -> NDArray[np.float32]:
    """A thumbnail's pixels. Raises ContractError for one that is none."""
    side, size = max(thumb.width, thumb.height), thumb.width * thumb.height * 3
    try:
        rows = zlib.decompressobj().decompress(base64.b64decode(thumb.data), size + 1)
    except (ValueError, zlib.error) as error:
        raise ContractError("thumb.data", f"is no picture: {error}") from error
    if side > THUMB_SIDE or not size or len(rows) != size:
        raise ContractError("thumb", f"is not {thumb.width} x {thumb.height} pixels")
    opaque = np.ones((thumb.height, thumb.width, 4), np.float32)
    opaque[..., :3] = np.frombuffer(rows, np.uint8).reshape(thumb.height, thumb.width, 3) / np.float32(255)
    return opaque
