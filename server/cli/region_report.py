# SPDX-License-Identifier: MIT
"""What became of each region of a painted blockout, in words and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from addon.protocol.records import Achieved, Blockout, Region


@dataclass(frozen=True)
class Outcome:
    """A region as it was asked for, and as the picture shows it; ``offset`` between the two middles, as a fraction of
    the frame's diagonal, is None where the picture does not show it."""

    asked: Region
    seen: Achieved
    offset: float | None

    def words(self) -> str:
        """A line for people."""
        if self.offset is None:
            return f"{self.asked.phrase}: not found in the picture, says the {self.seen.by}"
        sizes = f"{self.seen.size:.1%} of the frame where {self.asked.size:.1%} was asked for"
        return f"{self.asked.phrase}: {self.offset:.1%} off, {sizes}, says the {self.seen.by}"

    def record(self) -> dict[str, object]:
        """The same for programs: all numbers are fractions of the frame, ``offset`` of its diagonal."""
        return {
            "name": self.asked.name,
            "phrase": self.asked.phrase,
            "by": self.seen.by,
            "found": self.offset is not None,
            "offset": self.offset,
            "centroid": self.seen.centroid,
            "size": self.seen.size,
            "asked": {"centroid": self.asked.centroid, "size": self.asked.size},
        }


def outcomes(blockout: Blockout, achieved: Sequence[Achieved]) -> list[Outcome]:
    """An outcome for each region; none for a picture that an older server did not measure."""
    pairs = zip(blockout.regions, achieved, strict=bool(achieved))
    return [Outcome(region, seen, _offset(region, seen, blockout)) for region, seen in pairs]


def _offset(region: Region, seen: Achieved, blockout: Blockout) -> float | None:
    if seen.centroid is None:
        return None
    width, height = blockout.frame.width, blockout.frame.height
    across, down = (one - other for one, other in zip(seen.centroid, region.centroid, strict=True))
    return hypot(across * width, down * height) / hypot(width, height)
