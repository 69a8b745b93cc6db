# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on knows of the server and of its jobs: values, and pure functions from one to the next. No bpy.

A Session is what the panels show. The courier moves it with ``met``, ``lost``, ``heard`` and their like; nothing here
reads a clock, a socket or a scene, so every state a user can meet is one test away.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ..messages.notice import LINKS, Notice, complaint
from ..messages.sentences import no_worker, server_stopped
from ..protocol.default_model import TOYBOX
from ..protocol.records import Event, Health, Job, ModelInfo
from .task import Task, moved

STOPPED = server_stopped()
KEPT = 20  # tasks a session remembers; the pictures themselves stay on disk

Name = Literal[
    "absent", "starting", "connecting", "online", "stopping", "refused", "mismatch", "offline", "died", "failed"
]


@dataclass(frozen=True, kw_only=True)
class Link:
    """The connection to the server, as a named state; ``notice`` says why it is not online."""

    name: Name
    notice: Notice | None = None
    health: Health | None = None
    models: tuple[ModelInfo, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a picture looks like so far: a PNG file of the artist's frame, small."""

    job: str
    sha256: str
    png: bytes


@dataclass(frozen=True, kw_only=True)
class Session:
    """Everything a panel needs. Tasks are oldest first."""

    link: Link = Link(name="connecting")
    tasks: tuple[Task, ...] = ()
    notice: Notice | None = None
    exposing: int = 0
    sending: int = 0
    cancelling: frozenset[str] = frozenset()
    preview: Preview | None = None

    @property
    def undeveloped(self) -> Task | None:
        """The task being painted, when there is a newer preview of it than ours."""
        task, ours = self.active, self.preview.sha256 if self.preview else ""
        return task if task and task.sketch and task.developing and task.sketch.sha256 != ours else None

    @property
    def waiting(self) -> tuple[Task, ...]:
        """Tasks that are not over, oldest first."""
        return tuple(task for task in self.tasks if not task.ended)

    @property
    def queued(self) -> tuple[Task, ...]:
        """Tasks that nobody has begun, oldest first."""
        return tuple(task for task in self.tasks if task.job.state == "queued")

    @property
    def active(self) -> Task | None:
        """The task to show progress of: the one being painted, else the next in the queue."""
        return max(self.waiting, key=lambda task: (task.job.state != "queued", -task.job.created), default=None)

    @property
    def failed(self) -> tuple[tuple[Task, Notice], ...]:
        """Tasks that the server gave up and why, newest first, until the artist has dismissed them."""
        told = reversed([task for task in self.tasks if not task.dismissed])
        return tuple((task, complaint(task.job.problem, task.job.id)) for task in told if task.job.problem)

    @property
    def landed(self) -> tuple[Task, ...]:
        """Tasks whose picture is on disk, and not yet in the scene."""
        return tuple(task for task in self.tasks if task.landed)

    @property
    def unfetched(self) -> tuple[Task, ...]:
        """Tasks whose end, or whose picture, may have been missed while there was no server to listen to."""
        return tuple(task for task in self.tasks if task.unfetched)

    @property
    def busy(self) -> bool:
        """Something may change within the next moments, so the pump should run at its quick pace."""
        coming = self.link.name == "online" and self.unfetched and not self.unkept
        return self.link.name in ("starting", "connecting", "stopping") or bool(
            self.exposing or self.sending or coming or self.landed
        )

    @property
    def unkept(self) -> bool:
        """A picture came for which the disk has no room."""
        return self.notice is not None and self.notice.code == "unkept"


def starting(session: Session) -> Session:
    """A server process was started; it has not answered yet."""
    return replace(session, link=Link(name="starting"), notice=None)


def connecting(session: Session) -> Session:
    """The artist asked to look for the server again. The courier's own tries are silent: a panel must not flicker."""
    return session if session.link.name in ("online", "stopping") else replace(session, link=Link(name="connecting"))


def met(session: Session, health: Health, models: tuple[ModelInfo, ...]) -> Session:
    """The server answered and speaks our contract: what was wrong with the way to it is over.

    How long it takes for a step is learned anew after an absence.
    """
    if session.link.name == "stopping":
        return session
    notice = no_worker(health.trouble) if health.trouble else None
    again = session.link.name != "online"
    tasks = tuple(task if task.ended or not again else replace(task, pace=None) for task in session.tasks)
    link = Link(name="online", health=health, models=models, notice=notice)
    told = None if session.notice and session.notice.code in LINKS else session.notice
    return replace(session, link=link, tasks=tasks, notice=told)


def lost(session: Session, name: Name, notice: Notice) -> Session:
    """There is no server to talk to; ``name`` and ``notice`` say why.

    That one of ours is absent is no news while it starts or stops, nor once it has ended: why it has is.
    """
    known = session.link.name in ("starting", "stopping", "died") or session.link.notice == STOPPED
    if known and name == "absent":
        return session
    return replace(session, link=Link(name=name, notice=notice))


def stopping(session: Session) -> Session:
    """Our own server was asked to end; it finishes its step."""
    return replace(session, link=Link(name="stopping"))


def stopped(session: Session) -> Session:
    """Our own server has ended as it was asked to."""
    return replace(session, link=Link(name="absent", notice=STOPPED))


def died(session: Session, notice: Notice) -> Session:
    """Our own server has ended by itself."""
    return replace(session, link=Link(name="died", notice=notice))


def noticed(session: Session, notice: Notice | None) -> Session:
    """Show a sentence next to the Generate button; None takes the last one away."""
    return replace(session, notice=notice)


def exposing(session: Session) -> Session:
    """An exact capture is being made, or waits for another to end."""
    return replace(session, exposing=session.exposing + 1)


def exposed(session: Session) -> Session:
    """An exact capture has ended, one way or another."""
    return replace(session, exposing=session.exposing - 1)


def sending(session: Session) -> Session:
    """A blockout is on its way to the server."""
    return replace(session, sending=session.sending + 1)


def sent(session: Session) -> Session:
    """A blockout has reached the server, or will not."""
    return replace(session, sending=session.sending - 1)


def submitted(session: Session, task: Task) -> Session:
    """The server took a job of ours. The oldest ended tasks beyond KEPT are forgotten."""
    spare = max(0, len(session.tasks) + 1 - KEPT)
    forgotten = [old.job.id for old in session.tasks if not (old.unfetched or old.landed)][:spare]
    kept = tuple(old for old in session.tasks if old.job.id not in forgotten)
    return replace(session, tasks=(*kept, task))


def heard(session: Session, event: Event, now: float) -> Session:
    """News of a job; older news than the record, and news of jobs that are not ours, change nothing."""
    task = find(session, event.job)
    if task is None or event.sequence < task.job.sequence or task.ended:
        return session
    job = replace(
        task.job,
        state=event.state,
        sequence=event.sequence,
        phase=event.phase,
        step=event.step,
        steps=event.steps or task.job.steps,
    )
    sketch = event.artifact if event.kind == "preview" else task.sketch
    return _with(session, replace(moved(task, job, now), sketch=sketch))


def recorded(session: Session, job: Job, now: float) -> Session:
    """The server's own record of a job, which outranks every event before it."""
    task = find(session, job.id)
    if task is None or job.sequence < task.job.sequence:
        return session
    return _with(session, moved(task, job, now))


def dismissed(session: Session, jobs: Collection[str]) -> Session:
    """The artist has read why those jobs failed, and answered or waved it away."""
    tasks = tuple(replace(task, dismissed=True) if task.job.id in jobs else task for task in session.tasks)
    return replace(session, tasks=tasks)


def asked_to_cancel(session: Session, job: str) -> Session:
    """The user pressed Cancel; shown at once, long before the server answers."""
    return replace(session, cancelling=session.cancelling | {job})


def uncancelled(session: Session, job: str, notice: Notice) -> Session:
    """The server will not cancel that job, and ``notice`` says why."""
    return replace(session, cancelling=session.cancelling - {job}, notice=notice)


def disowned(session: Session, job: str, notice: Notice) -> Session:
    """The server does not know the job: it is another server, or has long forgotten it."""
    tasks = tuple(task for task in session.tasks if task.job.id != job)
    preview = None if session.preview is not None and session.preview.job == job else session.preview
    return replace(session, tasks=tasks, cancelling=session.cancelling - {job}, preview=preview, notice=notice)


def previewed(session: Session, preview: Preview) -> Session:
    """A preview has arrived. One that the server had replaced is empty: what was seen before it stays."""
    task = find(session, preview.job)
    if task is None or not task.developing:
        return session
    before = session.preview
    if not preview.png and before is not None and before.job == preview.job:
        preview = replace(preview, png=before.png)
    return replace(session, preview=preview)


def fetched(session: Session, job: str, picture: Path) -> Session:
    """The picture of a job is on disk, and so is the room that was lacking."""
    task = find(session, job)
    if task is None:
        return session
    return noticed(_with(session, replace(task, picture=picture)), None if session.unkept else session.notice)


def received(session: Session, job: str) -> Session:
    """The scene has the picture."""
    task = find(session, job)
    return session if task is None else _with(session, replace(task, received=True))


def find(session: Session, job: str) -> Task | None:
    """The task of that job, or None when it is not ours."""
    return next((task for task in session.tasks if task.job.id == job), None)


def usual(session: Session, task: Task) -> float | None:
    """Seconds a step took in the latest picture of the same model and size; None before there was one."""
    alike = (old for old in reversed(session.tasks) if (old.job.model, old.area) == (task.job.model, task.area))
    return next((old.pace.each for old in alike if old.ended and old.pace and old.pace.each), None)


def model(session: Session, name: str) -> ModelInfo:
    """The offered model of that name; else the first one offered; without a server, the Toybox."""
    offered = session.link.models or (TOYBOX,)
    return next((info for info in offered if info.name == name), offered[0])


def _with(session: Session, task: Task) -> Session:
    tasks = tuple(task if old.job.id == task.job.id else old for old in session.tasks)
    cancelling = session.cancelling - {task.job.id} if task.ended else session.cancelling
    preview = session.preview
    if preview is not None and preview.job == task.job.id and not task.developing:
        preview = None
    return replace(session, tasks=tasks, cancelling=cancelling, preview=preview)
