# SPDX-License-Identifier: MIT
"""What a rendering leaves behind, and that it replaces nothing that somebody may miss."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from addon.protocol.blockout import Blockout

from ..errors import CommandError
from .region_report import Outcome
from .request_files import asks_for

ELSEWHERE = "name another folder with --out"


class WouldReplace(CommandError):
    """A file is in the way that nobody said may go."""


@dataclass(frozen=True)
class Result:
    """What a rendering left behind, and what became of each region; no ``scene`` when there was only a blockout."""

    picture: Path
    blockout: Path
    scene: Path | None
    regions: tuple[Outcome, ...] = ()

    @property
    def files(self) -> dict[str, Path | None]:
        """What was written, by what it is."""
        return {"picture": self.picture, "blockout": self.blockout, "scene": self.scene}


def refuse_to_overwrite(path: Path, overwrite: bool) -> None:
    """Raises WouldReplace for a file that is there, unless it may be overwritten."""
    if path.exists() and not overwrite:
        raise WouldReplace(f"{path} is there already: {ELSEWHERE}, or say --overwrite")


def refuse_to_replace(copy: Path, scene: Path) -> None:
    """Raises WouldReplace where the painted copy of a scene would take the place of that scene."""
    if copy.exists() and copy.samefile(scene):
        raise WouldReplace(f"{scene} is the scene itself, which its painted copy would replace: {ELSEWHERE}")


def refuse_to_differ(file: Path, blockout: Blockout, beside: Mapping[str, bytes], overwrite: bool) -> None:
    """Raises WouldReplace where another request than this one is there, or another file of the name of one ``beside``:
    what an earlier try has left may be written again."""
    if not asks_for(file, blockout):
        refuse_to_overwrite(file, overwrite)
    for name, content in beside.items():
        path = file.parent / name
        if not (path.is_file() and path.read_bytes() == content):
            refuse_to_overwrite(path, overwrite)
