# SPDX-License-Identifier: MIT
"""Pictures on disk, named by their content: writing twice is writing once, and no path comes from the wire."""

import os
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ArtifactStore:
    """A folder of files named by the sha256 of what they hold."""

    folder: Path

    def put(self, content: bytes) -> str:
        """Stores the bytes and returns their digest. A reader sees the whole file or none, even after a crash."""
        digest = sha256(content).hexdigest()
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix="new-", delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(self.folder / digest)
        return digest

    def find(self, digest: str) -> Path | None:
        """Where the content lies; None for a digest that is none, or that is not here."""
        if not _DIGEST.fullmatch(digest):
            return None
        path = self.folder / digest
        return path if path.is_file() else None

    def sweep(self, referenced: Collection[str]) -> None:
        """Deletes what nothing refers to: left by crashes, and by previews that newer ones replaced."""
        for path in self.folder.glob("*"):
            if path.name not in referenced:
                path.unlink()
