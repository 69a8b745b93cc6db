# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture that was asked for, from the server's first word about it until the scene has it. No bpy."""

from dataclasses import dataclass, replace
from pathlib import Path

from ..protocol.answers import ENDED, Artifact, Job
from ..request.settings import DEFAULTS, Settings


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a blockout is from: a file's path, "" for one never saved, and the names of a scene and a camera in it."""

    file: str = ""
    scene: str = ""
    camera: str = ""


NOWHERE = Origin()


@dataclass(frozen=True, kw_only=True)
class Viewpoint:
    """Where a blockout was seen from: session ids of scene, camera and regions, and the camera as numbers.

    Blender's references die on undo; its session ids do so when the file is closed. By ``origin`` both are found
    again when that file is opened anew. A picture that is the ``frame`` of a ``sequence``, by its id, goes to that. One
    that is painted again of the history has as its ``entry`` what that is called there: it was asked for as it is,
    whatever the scene has become.
    """

    scene: int
    camera: int
    pose: tuple[float, ...]
    origin: Origin = NOWHERE
    regions: tuple[int, ...] = ()
    sequence: str = ""
    frame: int = 0
    entry: str = ""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The first step heard of and the latest, and when each was done, in seconds of a clock that only runs forward."""

    first: int
    began: float
    step: int
    latest: float

    @property
    def each(self) -> float | None:
        """Seconds that a step takes; None before two were heard of."""
        return None if self.step == self.first else (self.latest - self.began) / (self.step - self.first)

    def left(self, steps: int, now: float, usual: float | None = None) -> float | None:
        """Seconds until the last of ``steps``; None before it is known how long one takes, or ``usual``ly does."""
        each = self.each or usual
        return None if each is None else max(0.0, each * (steps - self.step) - (now - self.latest))


@dataclass(frozen=True, kw_only=True)
class Task:
    """A job of ours: the server's record of it, what was asked for and from where, and its picture once fetched.

    ``request`` is the Blockout as JSON, ``area`` the pixels it asks for, ``settings`` what the artist set for it;
    ``preview`` is the newest that the server has of it.
    """

    job: Job
    view: Viewpoint
    request: str
    area: int = 0
    settings: Settings = DEFAULTS
    pace: Pace | None = None
    preview: Artifact | None = None
    picture: Path | None = None
    received: bool = False
    dismissed: bool = False

    @property
    def ended(self) -> bool:
        """The server will do no more about it."""
        return self.job.state in ENDED

    @property
    def turn(self) -> tuple[int, float]:
        """Of those that wait, the least is next: what was moved to the front, then the oldest."""
        return self.job.position, self.job.created

    @property
    def unfetched(self) -> bool:
        """Its end, its picture, or why there is none has yet to come from the server; events tell only the first."""
        lacking = {"done": self.picture is None, "failed": self.job.problem is None, "cancelled": False}
        return lacking.get(self.job.state, True)

    @property
    def receivable(self) -> bool:
        """The picture is on disk and the scene does not have it yet."""
        return self.picture is not None and not self.received

    @property
    def previewable(self) -> bool:
        """A preview is all there is to see of it yet."""
        return not self.received and self.job.state in ("leased", "running", "done")


def with_record(task: Task, job: Job, now: float) -> Task:
    """The task as the server now says it is."""
    return replace(task, job=job, pace=_updated(task.pace, job, now))


def _updated(pace: Pace | None, job: Job, now: float) -> Pace | None:
    """The pace with that step in it; anew when the job was, for what it waited in between is no painting."""
    if job.state in ENDED:
        return pace
    if job.state != "running" or job.step == 0:
        return None
    if pace is None or job.step < pace.step:
        return Pace(first=job.step, began=now, step=job.step, latest=now)
    return pace if job.step == pace.step else replace(pace, step=job.step, latest=now)
