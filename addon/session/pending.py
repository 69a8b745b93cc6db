# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for and not yet received when Blender quit, on disk, so that the next one can receive it. No bpy.

The server keeps the jobs, in its own queue; this keeps whose they are. Whoever takes a file takes it away, so that of
two Blenders that start at once only one receives the pictures in it. The keys of these files are never renamed: what
any release left is read.
"""

import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from ..protocol.answers import Job
from ..protocol.blockout import Blockout
from ..protocol.strict_json import Added, ContractError, Key, dump, loads
from ..request.settings import Settings
from .state import Session
from .task import NOWHERE, Origin, Task, Viewpoint

FILES = "owed-*.json"
log = logging.getLogger(__package__)

NO_ID = 0  # no session id is: those of another Blender mean nothing here


@dataclass(frozen=True, kw_only=True)
class PendingJob:
    """A task, as far as it means something to another Blender."""

    job: Job
    request: Blockout
    settings: Annotated[Settings, Key("wish")]
    pose: tuple[float, ...]
    home: Origin = NOWHERE
    cancelled: bool = False
    entry: Annotated[str, Added("0.2.0")] = ""


@dataclass(frozen=True, kw_only=True)
class PendingFile:
    """All that one Blender left behind, oldest first."""

    owed: tuple[PendingJob, ...]


def save(folder: Path, session: Session) -> None:
    """Write down for the next Blender what the scene might still have received. Raises OSError."""
    own = (task for task in session.tasks if not task.view.sequence)  # a sequence is asked for again
    unfinished = (task for task in own if task.receivable or task in session.unfetched)
    jobs = tuple(_pending_job(task, task.job.id in session.cancelling) for task in unfinished)
    if jobs:
        part = folder / f"owed-{uuid.uuid4().hex}.part"
        part.write_text(json.dumps(dump(PendingFile(owed=jobs))), "utf-8")
        part.replace(part.with_suffix(".json"))


def take(folder: Path) -> Iterator[PendingJob]:
    """The jobs in every file there is; the files are gone then."""
    for path in sorted(folder.glob(FILES)):
        try:
            pending = loads(PendingFile, path.read_bytes())
            path.unlink()
        except ContractError as error:  # a newer add-on's, which will come back for it
            log.warning("%s is left where it is: %s", path.name, error)
        except OSError:  # another Blender was quicker
            continue
        else:
            yield from pending.owed


def resumed(session: Session, folder: Path) -> Session:
    """The session with what another Blender left behind; what was cancelled there is still to be cancelled."""
    jobs = tuple(take(folder))
    cancelling = session.cancelling | {pending.job.id for pending in jobs if pending.cancelled}
    return replace(session, tasks=(*session.tasks, *map(_task, jobs)), cancelling=cancelling)


def _pending_job(task: Task, cancelled: bool) -> PendingJob:
    request = loads(Blockout, task.request)
    view = task.view
    return PendingJob(
        job=task.job,
        request=request,
        settings=task.settings,
        pose=view.pose,
        home=view.origin,
        cancelled=cancelled,
        entry=view.entry,
    )


def _task(pending: PendingJob) -> Task:
    view = Viewpoint(scene=NO_ID, camera=NO_ID, pose=pending.pose, origin=pending.home, entry=pending.entry)
    area, request = pending.request.width * pending.request.height, json.dumps(dump(pending.request))
    return Task(job=pending.job, view=view, request=request, area=area, settings=pending.settings)
