# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on knows of the server and of its jobs, as one frozen value. No bpy.

The session is a reducer's state: a Session is what the panels show, the functions of ``reducer`` make the next one of
it, and nothing here reads a clock, a socket or a scene, so every state a user can meet is one test away.
"""

from dataclasses import dataclass
from typing import Literal

from ..messages.notice import Notice, complaint
from ..protocol.answers import AdapterInfo, Health, ModelInfo
from ..protocol.default_model import TOYBOX
from ..protocol.model_files import Library, ModelFile
from .sequence import PictureSequence
from .task import Task

NO_LIBRARY = Library()

LinkName = Literal[
    "absent", "starting", "connecting", "online", "stopping", "refused", "mismatch", "offline", "died", "failed"
]


@dataclass(frozen=True, kw_only=True)
class Link:
    """The connection to the server, as a named state; ``notice`` says why it is not online.

    ``models`` and ``adapters`` are what the server offers, or the latest one that answered did.
    """

    name: LinkName
    notice: Notice | None = None
    health: Health | None = None
    models: tuple[ModelInfo, ...] = ()
    adapters: tuple[AdapterInfo, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether it is not known yet if there is a server, and so which models it has."""
        return self.name in ("connecting", "starting")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a picture looks like so far: a PNG file of the artist's frame, small."""

    job: str
    sha256: str
    png: bytes


@dataclass(frozen=True, kw_only=True)
class Session:
    """Everything a panel needs. Tasks and sequences are oldest first."""

    link: Link = Link(name="connecting")
    library: Library = NO_LIBRARY
    tasks: tuple[Task, ...] = ()
    notice: Notice | None = None
    exact_captures: int = 0
    submissions: int = 0
    cancelling: frozenset[str] = frozenset()
    preview: Preview | None = None
    sequences: tuple[PictureSequence, ...] = ()

    @property
    def preview_due(self) -> Task | None:
        """The task being painted, when there is a newer preview of it than ours."""
        task, ours = self.active, self.preview.sha256 if self.preview else ""
        return task if task and task.preview and task.previewable and task.preview.sha256 != ours else None

    @property
    def waiting(self) -> tuple[Task, ...]:
        """Tasks that are not over, oldest first."""
        return tuple(task for task in self.tasks if not task.ended)

    @property
    def queued(self) -> tuple[Task, ...]:
        """Tasks that nobody has begun, the next one first."""
        return tuple(sorted((task for task in self.tasks if task.job.state == "queued"), key=lambda task: task.turn))

    @property
    def active(self) -> Task | None:
        """The task to show progress of: the one being painted, else the next in the queue."""
        return min(self.waiting, key=lambda task: (task.job.state == "queued", task.turn), default=None)

    @property
    def failed(self) -> tuple[tuple[Task, Notice], ...]:
        """Tasks that the server gave up and why, newest first, until the artist has dismissed them."""
        undismissed = reversed([task for task in self.tasks if not task.dismissed])
        return tuple((task, complaint(task.job.problem, task.job.id)) for task in undismissed if task.job.problem)

    @property
    def receivable(self) -> tuple[Task, ...]:
        """Tasks whose picture is on disk, and not yet in the scene that it is for."""
        return tuple(task for task in self.tasks if task.receivable and not task.view.sequence)

    @property
    def running_sequences(self) -> tuple[PictureSequence, ...]:
        """Sequences that are not over."""
        return tuple(sequence for sequence in self.sequences if not sequence.ended)

    @property
    def unfetched(self) -> tuple[Task, ...]:
        """Tasks whose end, or whose picture, may have been missed while there was no server to listen to."""
        return tuple(task for task in self.tasks if task.unfetched)

    @property
    def busy(self) -> bool:
        """Something may change within the next moments, so the event loop should run at its quick pace."""
        coming = self.link.name == "online" and self.unfetched and not self.picture_unsaved
        return self.link.name in ("starting", "connecting", "stopping") or bool(
            self.exact_captures or self.submissions or coming or self.receivable or self.running_sequences
        )

    @property
    def picture_unsaved(self) -> bool:
        """A picture came for which the disk has no room."""
        return self.notice is not None and self.notice.code == "unkept"


def model_file(session: Session, name: str) -> ModelFile | None:
    """What is known of the file of the model of that name; None where it lies in no folder that was named."""
    return next((file for file in session.library.files if file.name == name and not file.trouble), None)


def find_task(session: Session, job: str) -> Task | None:
    """The task of that job, or None when it is not ours."""
    return next((task for task in session.tasks if task.job.id == job), None)


def find_sequence(session: Session, name: str) -> PictureSequence | None:
    """The sequence of that id, or None once it was dismissed."""
    return next((sequence for sequence in session.sequences if sequence.id == name), None)


def usual_step_seconds(session: Session, task: Task) -> float | None:
    """Seconds a step took in the latest picture of the same model and size; None before there was one."""
    alike = (old for old in reversed(session.tasks) if (old.job.model, old.area) == (task.job.model, task.area))
    return next((old.pace.each for old in alike if old.ended and old.pace and old.pace.each), None)


def is_unlisted(session: Session, name: str) -> bool:
    """Whether that is a model of which nothing is known, for no server has answered yet."""
    return name not in ("", TOYBOX.name) and not session.link.models


def offered_model(session: Session, name: str) -> ModelInfo:
    """The offered model of that name; else the first one offered; before any server has answered, the Toybox."""
    offered = session.link.models or (TOYBOX,)
    return next((info for info in offered if info.name == name), offered[0])
