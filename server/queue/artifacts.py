# SPDX-License-Identifier: MIT
"""Pictures on disk, named by their content: writing twice is writing once, and no path comes from the wire.

The store puts them in their places and removes them under the lock with which it writes their rows, so that no file can
be taken between its coming and its being referred to. What takes long, the disk's word that it has them, comes before.
"""

import math
import os
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal

from addon.protocol.answers import Artifact

from ..problems import NoRoom

UNCLAIMED = 600.0  # seconds that a reference waits for its job
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PictureFile:
    """A PNG file to be kept, and what it is to its job."""

    kind: Literal["picture", "full", "preview"]
    png: bytes


@dataclass(frozen=True)
class ArtifactStore:
    """A folder of files named by the sha256 of what they hold."""

    folder: Path
    sent: dict[str, float] = field(default_factory=dict)  # when each reference came, by its digest; monotonic seconds

    def note_sent(self, digest: str) -> None:
        """A picture that a job is to follow has come: for a while it is removed for no other job's sake."""
        now = time.monotonic()
        for old in [one for one, came in self.sent.items() if now - came > UNCLAIMED]:
            del self.sent[old]
        self.sent[digest] = now

    def put(self, picture: PictureFile) -> Artifact:
        """Stores the file. A reader sees the whole of it or none, and what a job ends with outlives a power cut.

        Raises NoRoom, and leaves nothing behind then.
        """
        digest = sha256(picture.png).hexdigest()
        try:
            self._write(digest, picture.png, durable=picture.kind != "preview")
        except OSError as error:
            raise no_room(error) from error
        return Artifact(sha256=digest, kind=picture.kind, media_type="image/png", bytes=len(picture.png))

    @contextmanager
    def staged(self, pictures: Sequence[PictureFile]) -> Iterator[Callable[[], list[Artifact]]]:
        """Writes what is to outlive a power cut before the lock is taken, for a disk takes its time to say that it has
        it; what is yielded puts the files in their places, under the lock. Both raise NoRoom; what was not placed goes.
        """
        parts: dict[str, Path] = {}
        files = [(picture, sha256(picture.png).hexdigest()) for picture in pictures]
        try:
            for picture, digest in files:
                if digest not in parts and not self._has(digest, durable=True):
                    parts[digest] = self._part(picture.png, durable=True)
            yield lambda: [self._placed(picture, digest, parts.get(digest)) for picture, digest in files]
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)

    def _placed(self, picture: PictureFile, digest: str, part: Path | None) -> Artifact:
        path = self.folder / digest
        try:
            if part is not None and part.exists():
                part.replace(path)
        except OSError as error:  # some systems replace nothing that is being read, and so is right already
            if self.content(digest) is None:
                raise no_room(error) from error
        if not path.is_file():  # it was there before the lock was
            return self.put(picture)
        return Artifact(sha256=digest, kind=picture.kind, media_type="image/png", bytes=len(picture.png))

    def _write(self, digest: str, content: bytes, durable: bool) -> None:
        """Nothing is replaced that is right already: some systems refuse that while the file is being read."""
        if self._has(digest, durable):
            return
        part = self._part(content, durable)
        try:
            part.replace(self.folder / digest)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def _has(self, digest: str, durable: bool) -> bool:
        """Whether it is here, whole; and after a power cut, where it is to be ``durable``."""
        if self.content(digest) is None:
            return False
        if durable:
            try:
                _synchronise(self.folder / digest)
            except FileNotFoundError:  # swept since it was read
                return False
            except OSError as error:
                raise no_room(error) from error
        return True

    def _part(self, content: bytes, durable: bool) -> Path:
        """A file beside the others that holds the content. Raises NoRoom, and leaves nothing behind then."""
        part = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self.folder, prefix="new-")
            part = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
        except OSError as error:
            if part is not None:
                part.unlink(missing_ok=True)
            raise no_room(error) from error
        return part

    def find(self, digest: str) -> Path | None:
        """Where the content lies; None for a digest that is none, or that is not here."""
        if not _DIGEST.fullmatch(digest):
            return None
        path = self.folder / digest
        return path if path.is_file() else None

    def content(self, digest: str) -> bytes | None:
        """What the file holds; None where it is gone, or is not what its name says: a disk may have lost some of it."""
        path = self.find(digest)
        with suppress(OSError):
            content = path.read_bytes() if path is not None else b""
            return content if sha256(content).hexdigest() == digest else None
        return None

    def remove(self, digests: Collection[str]) -> None:
        """Deletes these, as far as they are here. What the system holds on to, and references that just came and
        whose jobs may still be on their way, stay for the next sweep."""
        now = time.monotonic()
        for digest in digests:
            if now - self.sent.get(digest, -math.inf) < UNCLAIMED:
                continue
            with suppress(OSError):
                (self.folder / digest).unlink(missing_ok=True)

    def sweep(self, referenced: Collection[str]) -> None:
        """Deletes every file that nothing refers to, as far as the system lets go of it: what crashes left."""
        for path in self.folder.glob("*"):
            with suppress(OSError):
                if path.name not in referenced and not path.is_dir():
                    path.unlink(missing_ok=True)


def no_room(error: OSError) -> NoRoom:
    """The refusal that an error of the disk becomes."""
    return NoRoom(f"The picture cannot be kept: {error.strerror}")


def _synchronise(path: Path) -> None:
    """Raises OSError."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
