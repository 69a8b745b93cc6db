# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequences: many views of a scene that are painted one after the other, as frozen values. No bpy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from .task import Viewpoint


@dataclass(frozen=True, kw_only=True)
class SequenceFrame:
    """A view of a sequence that is over: its camera, its frame, the ``file`` of its picture in the sequence's folder,
    "" where there is none, and then the ``trouble``."""

    camera: str
    frame: int
    file: str = ""
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class PictureSequence:
    """``size`` views of the scene that ``view`` names, painted into ``folder``; ``frames`` are those that are over, in
    the order in which they ended, and ``captured`` how many the second Blender has read. ``note`` says what ended it
    early."""

    id: str
    title: str
    view: Viewpoint
    folder: Path
    size: int
    frames: tuple[SequenceFrame, ...] = ()
    captured: int = 0
    stopping: bool = False
    ended: bool = False
    note: str = ""

    @property
    def fraction(self) -> float:
        """How much of it is over, 0 to 1."""
        return len(self.frames) / max(1, self.size)

    @property
    def painted(self) -> int:
        """How many pictures are there."""
        return sum(bool(frame.file) for frame in self.frames)

    @property
    def failed(self) -> tuple[SequenceFrame, ...]:
        """The views that have none, and never will."""
        return tuple(frame for frame in self.frames if not frame.file)

    @property
    def long(self) -> bool:
        """Whether a camera has pictures of several frames, which play."""
        return any(len(frames) > 1 for frames in by_camera(self.frames).values())

    @property
    def words(self) -> str:
        """How far it is, in a line."""
        failed = f", {len(self.failed)} failed" if self.failed else ""
        state = "Stopping…" if self.stopping and not self.ended else "" if self.frames or self.ended else "Capturing…"
        return state or f"{self.painted} of {self.size} painted{failed}"


def by_camera(frames: Iterable[SequenceFrame]) -> Mapping[str, tuple[SequenceFrame, ...]]:
    """The frames that have a picture, by their camera's name, first frame first."""
    painted = sorted((frame for frame in frames if frame.file), key=lambda frame: (frame.camera, frame.frame))
    return {name: tuple(group) for name, group in groupby(painted, key=lambda frame: frame.camera)}
