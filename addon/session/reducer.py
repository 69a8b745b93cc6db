# SPDX-License-Identifier: GPL-3.0-or-later
"""The reducer of the session: pure functions from what was known, and what has happened since, to the next Session.

Each is named for what has happened. The store applies them; none reads a clock, a socket or a scene, so every state a
user can meet is one test away. No bpy.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ..messages import sentences
from ..messages.notice import LINKS, OF_A_FILE, Notice
from ..protocol.answers import AdapterInfo, Event, Health, Job, ModelInfo
from ..protocol.model_files import Library
from .sequence import PictureSequence, SequenceFrame
from .state import Link, LinkName, Preview, Session, find_sequence, find_task
from .task import Task, Viewpoint, with_record

STOPPED = sentences.server_stopped()
FLUTTER = 0.02  # of a machine's memory
TASKS_MAX = 20  # tasks a session remembers; the pictures themselves stay on disk


def server_starting(session: Session) -> Session:
    """A server process was started; it has not answered yet."""
    return replace(_without_server(session, "starting"), notice=None)


def connection_requested(session: Session) -> Session:
    """The artist asked to look for the server again. The watch's own tries are silent: a panel must not flicker."""
    return session if session.link.name in ("online", "stopping") else _without_server(session, "connecting")


def server_answered(
    session: Session, health: Health, models: tuple[ModelInfo, ...], adapters: tuple[AdapterInfo, ...] = ()
) -> Session:
    """The server answered and speaks our contract: what was wrong with the way to it is over.

    How long it takes for a step is learned anew after an absence.
    """
    if session.link.name == "stopping":
        return session
    notice = sentences.no_worker(health.trouble) if health.trouble else None
    again = session.link.name != "online"
    tasks = tuple(task if task.ended or not again else replace(task, pace=None) for task in session.tasks)
    steady = _steady(session.link.health, health)
    link = Link(name="online", health=steady, models=models, adapters=adapters, notice=notice)
    unanswered = None if session.notice and session.notice.code in LINKS else session.notice
    return replace(session, link=link, tasks=tasks, notice=unanswered)


def library_answered(session: Session, library: Library) -> Session:
    """The server said what lies in the folders of models."""
    return replace(session, library=library)


def _steady(before: Health | None, health: Health) -> Health:
    """Its health with the free memory of before, where that is much the same: it flutters, and panels must not."""
    if before is None or abs(before.memory_free - health.memory_free) > FLUTTER * health.memory:
        return health
    return replace(health, memory_free=before.memory_free)


def server_lost(session: Session, name: LinkName, notice: Notice) -> Session:
    """There is no server to talk to; ``name`` and ``notice`` say why.

    That one of ours is absent is no news while it starts or stops, nor once it has ended: why it has is. Nor is it
    news then that a question broke off, which a busy machine may hear of later than of the end itself.
    """
    over = session.link.name in ("stopping", "died") or session.link.notice == STOPPED
    if (over and name in ("absent", "failed")) or (session.link.name == "starting" and name == "absent"):
        return session
    return _without_server(session, name, notice)


def server_stopping(session: Session) -> Session:
    """Our own server was asked to end; it finishes its step."""
    return _without_server(session, "stopping")


def server_stopped(session: Session) -> Session:
    """Our own server has ended as it was asked to."""
    return _without_server(session, "absent", STOPPED)


def server_died(session: Session, notice: Notice) -> Session:
    """Our own server has ended by itself."""
    return _without_server(session, "died", notice)


def notice_changed(session: Session, notice: Notice | None) -> Session:
    """Show a sentence next to the Generate button; None takes the last one away."""
    return replace(session, notice=notice)


def file_opened(session: Session) -> Session:
    """Another file is open: what was said of the scenes of the one before is over."""
    notice = session.notice
    return replace(session, notice=None) if notice is not None and notice.code in OF_A_FILE else session


def file_saved(session: Session, renewed: Callable[[Viewpoint], Viewpoint]) -> Session:
    """The open file was saved, perhaps for the first time or by another name: what was asked for in it is of that."""
    tasks = tuple(_renewed(task, renewed) for task in session.tasks)
    return replace(session, tasks=tasks, sequences=tuple(_renewed(one, renewed) for one in session.sequences))


TaskOrSequence = TypeVar("TaskOrSequence", Task, PictureSequence)


def _renewed(item: TaskOrSequence, renewed: Callable[[Viewpoint], Viewpoint]) -> TaskOrSequence:
    view = renewed(item.view)
    return item if view == item.view else replace(item, view=view)


def exact_capture_begun(session: Session) -> Session:
    """An exact capture is being made, or waits for another to end."""
    return replace(session, exact_captures=session.exact_captures + 1)


def exact_capture_ended(session: Session) -> Session:
    """An exact capture has ended, one way or another."""
    return replace(session, exact_captures=session.exact_captures - 1)


def submission_begun(session: Session) -> Session:
    """A blockout is on its way to the server."""
    return replace(session, submissions=session.submissions + 1)


def submission_ended(session: Session) -> Session:
    """A blockout has reached the server, or will not."""
    return replace(session, submissions=session.submissions - 1)


def job_submitted(session: Session, task: Task) -> Session:
    """The server took a job of ours. The oldest ended tasks beyond TASKS_MAX are forgotten."""
    excess = max(0, len(session.tasks) + 1 - TASKS_MAX)
    forgotten = [old.job.id for old in session.tasks if not (old.unfetched or old.receivable)][:excess]
    remembered = tuple(old for old in session.tasks if old.job.id not in forgotten)
    return replace(session, tasks=(*remembered, task))


def event_received(session: Session, event: Event, now: float) -> Session:
    """News of a job; older news than the record, and news of jobs that are not ours, change nothing."""
    task = find_task(session, event.job)
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
    preview = event.artifact if event.kind == "preview" else task.preview
    return _with(session, replace(with_record(task, job, now), preview=preview))


def job_recorded(session: Session, job: Job, now: float) -> Session:
    """The server's own record of a job, which outranks every event before it."""
    task = find_task(session, job.id)
    if task is None or job.sequence < task.job.sequence:
        return session
    return _with(session, with_record(task, job, now))


def failures_dismissed(session: Session, jobs: Collection[str]) -> Session:
    """The artist has read why those jobs failed, and answered or waved it away."""
    tasks = tuple(replace(task, dismissed=True) if task.job.id in jobs else task for task in session.tasks)
    return replace(session, tasks=tasks)


def cancel_requested(session: Session, job: str) -> Session:
    """The user pressed Cancel; shown at once, long before the server answers."""
    return replace(session, cancelling=session.cancelling | {job})


def cancel_refused(session: Session, job: str, notice: Notice) -> Session:
    """The server will not cancel that job, and ``notice`` says why."""
    return replace(session, cancelling=session.cancelling - {job}, notice=notice)


def job_forgotten(session: Session, job: str, notice: Notice) -> Session:
    """The server does not know the job: it is another server, or has long forgotten it."""
    tasks = tuple(task for task in session.tasks if task.job.id != job)
    preview = None if session.preview is not None and session.preview.job == job else session.preview
    return replace(session, tasks=tasks, cancelling=session.cancelling - {job}, preview=preview, notice=notice)


def preview_fetched(session: Session, preview: Preview) -> Session:
    """A preview has arrived. One that the server had replaced is empty: what was seen before it stays."""
    task = find_task(session, preview.job)
    if task is None or not task.previewable:
        return session
    before = session.preview
    if not preview.png and before is not None and before.job == preview.job:
        preview = replace(preview, png=before.png)
    return replace(session, preview=preview)


def picture_fetched(session: Session, job: str, picture: Path) -> Session:
    """The picture of a job is on disk, and so there is room for it by now."""
    task = find_task(session, job)
    if task is None:
        return session
    unanswered = None if session.picture_unsaved else session.notice
    return notice_changed(_with(session, replace(task, picture=picture)), unanswered)


def picture_received(session: Session, job: str) -> Session:
    """The scene has the picture."""
    task = find_task(session, job)
    return session if task is None else _with(session, replace(task, received=True))


def sequence_begun(session: Session, sequence: PictureSequence) -> Session:
    """A sequence was asked for; the newest stands last."""
    return replace(session, sequences=(*session.sequences, sequence), notice=None)


def view_captured(session: Session, name: str) -> Session:
    """The second Blender has read one more view of it."""
    sequence = find_sequence(session, name)
    return session if sequence is None else _with_sequence(session, name, captured=sequence.captured + 1)


def frame_ended(session: Session, name: str, frame: SequenceFrame) -> Session:
    """A picture of it is there, or will never be."""
    sequence = find_sequence(session, name)
    return session if sequence is None else _with_sequence(session, name, frames=(*sequence.frames, frame))


def sequences_stopped(session: Session, names: Collection[str]) -> Session:
    """The artist wants no more of them; what is painted stays."""
    return replace(
        session,
        sequences=tuple(
            replace(one, stopping=True) if one.id in names and not one.ended else one for one in session.sequences
        ),
    )


def sequence_ended(session: Session, name: str, note: str) -> Session:
    """Nothing more is done about it; ``note`` says why, where that was too early."""
    return _with_sequence(session, name, ended=True, note=note)


def sequence_dismissed(session: Session, name: str) -> Session:
    """The artist needs it on the list no more; its pictures stay where they are."""
    return replace(session, sequences=tuple(one for one in session.sequences if one.id != name or not one.ended))


def _without_server(session: Session, name: LinkName, notice: Notice | None = None) -> Session:
    """Nobody answers now. What was offered stays known until somebody does: what is asked for meanwhile is asked of the
    scene's own model.
    """
    return replace(session, link=replace(session.link, name=name, notice=notice, health=None))


def _with(session: Session, task: Task) -> Session:
    tasks = tuple(task if old.job.id == task.job.id else old for old in session.tasks)
    cancelling = session.cancelling - {task.job.id} if task.ended else session.cancelling
    preview = session.preview
    if preview is not None and preview.job == task.job.id and not task.previewable:
        preview = None
    return replace(session, tasks=tasks, cancelling=cancelling, preview=preview)


def _with_sequence(session: Session, name: str, **changes: Any) -> Session:
    sequences = tuple(replace(one, **changes) if one.id == name else one for one in session.sequences)
    return replace(session, sequences=sequences)
