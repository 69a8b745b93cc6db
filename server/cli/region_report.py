# SPDX-License-Identifier: MIT
"""What a rendering left behind, and what became of each region, in words and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from addon.protocol.answers import Achieved
from addon.protocol.blockout import Blockout, Region
from addon.protocol.frame import offset

from .terminal import say


@dataclass(frozen=True)
class Outcome:
    """A region as it was asked for, and as the picture shows it; ``offset`` between the two middles, as a fraction of
    the frame's diagonal, is None where the picture does not show it."""

    request: Region
    achieved: Achieved
    offset: float | None

    def words(self) -> str:
        """A line for people."""
        if self.offset is None:
            return f"{self.request.phrase}: not found in the picture, says the {self.achieved.by}"
        if not self.request.enforce:  # no block says where
            return f"{self.request.phrase}: {self.achieved.size:.1%} of the frame, says the {self.achieved.by}"
        sizes = f"{self.achieved.size:.1%} of the frame where {self.request.size:.1%} was asked for"
        return f"{self.request.phrase}: {self.offset:.1%} off, {sizes}, says the {self.achieved.by}"

    def record(self) -> dict[str, object]:
        """The same for programs: all numbers are fractions of the frame, ``offset`` of its diagonal."""
        return {
            "name": self.request.name,
            "phrase": self.request.phrase,
            "by": self.achieved.by,
            "found": self.offset is not None,
            "offset": self.offset,
            "centroid": self.achieved.centroid,
            "size": self.achieved.size,
            "asked": {"centroid": self.request.centroid, "size": self.request.size},
        }


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


def outcomes(blockout: Blockout, achieved: Sequence[Achieved]) -> list[Outcome]:
    """An outcome for each region; none for a picture that an older server did not measure."""
    pairs = zip(blockout.regions, achieved, strict=bool(achieved))
    return [Outcome(region, result, _offset(region, result, blockout)) for region, result in pairs]


def _offset(region: Region, achieved: Achieved, blockout: Blockout) -> float | None:
    if achieved.centroid is None:
        return None
    return offset(achieved.centroid, region.centroid, blockout.frame.width / blockout.frame.height)


def tell(result: Result, as_json: bool) -> None:
    """Say what became of each region, and where the files are; or the same as one line of JSON."""
    if as_json:
        files = {kind: path and str(path) for kind, path in result.files.items()}
        say(json.dumps(files | {"achieved": [region.record() for region in result.regions]}))
        return
    for region in result.regions:
        say(region.words())
    for path in filter(None, result.files.values()):
        say(str(path))
