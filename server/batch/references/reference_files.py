# SPDX-License-Identifier: MIT
"""The pictures that requests refer to, by their sha256: PNG files beside a request, or in folders that are named."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from addon.protocol.blockout import Blockout

from ...cli.reference_flags import WrongReference
from ..manifest import digest_of, write_durably


@dataclass
class ReferenceFiles:
    """Where to look beside a request; ``known`` are the folders that were looked into, which happens once."""

    folders: tuple[Path, ...] = ()
    known: dict[Path, dict[str, Path]] = field(default_factory=dict)

    def of(self, blockout: Blockout, file: Path) -> tuple[bytes, ...]:
        """The PNG files that a blockout refers to, in the order of its ``pictures``; ``file`` is where it was read.

        Raises WrongReference for one that is nowhere.
        """
        return tuple(self._read(blockout, digest, file) for digest in blockout.pictures)

    def _read(self, blockout: Blockout, digest: str, file: Path) -> bytes:
        folders = (file.parent, *self.folders)
        for folder in folders:
            path = self._listed(folder).get(digest)
            if path is not None and sha256(content := path.read_bytes()).hexdigest() == digest:
                return content
        reference = blockout.reference
        follows = reference is not None and reference.picture == digest
        words = "follows the picture" if follows else "takes something of the picture"
        looked = " or ".join(map(str, dict.fromkeys(folders)))
        raise WrongReference(
            f"{file} {words} with the sha256 {digest}, which no PNG file in {looked} has: put it there, or name its "
            "folder with --references"
        )

    def _listed(self, folder: Path) -> dict[str, Path]:
        """The PNG files of a folder. Raises WrongReference for one that cannot be read."""
        if folder not in self.known:
            try:
                self.known[folder] = dict(_digests(folder))
            except OSError as error:
                raise WrongReference(f"{folder} cannot be looked into: {error.strerror}") from error
        return self.known[folder]


def reference_name(png: bytes) -> str:
    """What a picture that others refer to is called beside them."""
    return f"reference-{sha256(png).hexdigest()[:12]}.png"


def keep_reference(folder: Path, name: str, png: bytes) -> None:
    """Keep a picture that those in a folder refer to; by its sum, where another of that name is there already, to which
    others refer. Raises OSError."""
    digest = sha256(png).hexdigest()
    for path in (folder / name, folder / reference_name(png), folder / f"reference-{digest}.png"):
        there = digest_of(path)
        if there is None:
            write_durably(path, png)
        if there in (None, digest):
            return


def _digests(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() == ".png" and path.is_file():
            yield sha256(path.read_bytes()).hexdigest(), path
