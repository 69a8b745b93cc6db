# SPDX-License-Identifier: MIT
"""manifest.jsonl: a row a picture, written only after the picture lies on the disk for good.

Whoever is killed leaves at most a torn last line, which is not read. The last row of a name counts.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from addon.protocol.strict_json import ContractError, Record, dump, loads

FILE, ROW_START = "manifest.jsonl", b'{"name":'


@dataclass(frozen=True, kw_only=True)
class RegionScore(Record):
    """A region of a picture: ``overlap`` of the two masks (intersection over union), ``offset`` of the two middles as a
    fraction of the frame's diagonal, None where the picture does not show it; and who says so."""

    name: str
    phrase: str
    by: str
    overlap: float
    offset: float | None


@dataclass(frozen=True, kw_only=True)
class ManifestRow(Record):
    """A picture that is there: its name, the content key of its request, the sha256 of its file, what it obeys."""

    name: str
    key: str
    sha256: str
    model: str
    job: str
    regions: tuple[RegionScore, ...] = ()

    @property
    def overlap(self) -> float | None:
        """The mean of its regions'; None of a picture without any, or that nobody measured."""
        return sum(region.overlap for region in self.regions) / len(self.regions) if self.regions else None


def read_rows(folder: Path) -> dict[str, ManifestRow]:
    """The rows by their names; none where there is no manifest. Lines that are no rows are not read."""
    try:
        lines = (folder / FILE).read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}
    return {row.name: row for row in _parsed(lines)}


def _parsed(lines: Sequence[bytes]) -> Iterator[ManifestRow]:
    for line in lines:
        try:
            row = loads(ManifestRow, line)
        except (ContractError, UnicodeDecodeError):
            continue
        if _is_inside(row.name):
            yield row


def _is_inside(name: str) -> bool:
    """Whether a name stays in its folder: a manifest may come from elsewhere."""
    foreign = os.name == "nt" and any(sign in name for sign in "\\:")
    path = PurePosixPath(name)
    return bool(name) and "\0" not in name and not path.is_absolute() and ".." not in path.parts and not foreign


def append(folder: Path, row: ManifestRow) -> None:
    """Write a row, for good. After a torn line it begins a new one. Raises OSError."""
    with (folder / FILE).open("ab+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            torn = file.read(1) != b"\n"
        else:
            torn = False
        file.write((b"\n" if torn else b"") + json.dumps(dump(row)).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def write_durably(path: Path, content: bytes) -> None:
    """A file that is there for good once this returns; never half of one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)  # on a full disk it would hold what is left of it
        raise
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def digest_of(path: Path) -> str | None:
    """The sha256 of a file, None of one that is not there."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
