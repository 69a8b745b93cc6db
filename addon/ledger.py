# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for and not yet received when Blender quit, on disk, so that the next one can receive it. No bpy.

The server keeps the jobs, in its own queue; this keeps whose they are. Whoever takes a page takes it away, so that of
two Blenders that start at once only one receives the pictures on it.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from .contract import Blockout, ContractError, Job, dump, loads
from .history import Wish
from .session import Notice, Session
from .tasks import Task, Viewpoint

PAGES = "owed-*.json"
NOWHERE = 0  # no session id is: those of another Blender mean nothing here


@dataclass(frozen=True, kw_only=True)
class Owed:
    """A task, as far as it means something to another Blender."""

    job: Job
    request: Blockout
    wish: Wish
    pose: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that one Blender left behind, oldest first."""

    owed: tuple[Owed, ...]


def leave(folder: Path, session: Session) -> None:
    """Write down for the next Blender what the scene might still have received. Raises OSError."""
    unfinished = (task for task in session.tasks if task.landed or task in session.unfetched)
    owed = tuple(
        Owed(job=task.job, request=loads(Blockout, task.request), wish=task.wish, pose=task.view.pose)
        for task in unfinished
    )
    if owed:
        part = folder / f"owed-{uuid.uuid4().hex}.part"
        part.write_text(json.dumps(dump(Page(owed=owed))), "utf-8")
        part.replace(part.with_suffix(".json"))


def take(folder: Path) -> Iterator[Task]:
    """The tasks of every page there is; the pages are gone then."""
    for path in sorted(folder.glob(PAGES)):
        with suppress(FileNotFoundError, ContractError):  # another Blender was quicker; or has a newer add-on
            page = loads(Page, path.read_text("utf-8"))
            path.unlink()
            yield from (_task(owed) for owed in page.owed)


def resumed(session: Session, folder: Path) -> Session:
    """The session with what another Blender left behind."""
    return replace(session, tasks=(*session.tasks, *take(folder)))


def disowned(session: Session, job: str, notice: Notice) -> Session:
    """The server does not know the job: it is another server, or has long forgotten it."""
    tasks = tuple(task for task in session.tasks if task.job.id != job)
    return replace(session, tasks=tasks, cancelling=session.cancelling - {job}, notice=notice)


def _task(owed: Owed) -> Task:
    view = Viewpoint(scene=NOWHERE, camera=NOWHERE, pose=owed.pose)
    return Task(job=owed.job, view=view, request=json.dumps(dump(owed.request)), wish=owed.wish)
