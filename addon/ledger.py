# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for and not yet received when Blender quit, on disk, so that the next one can receive it. No bpy.

The server keeps the jobs, in its own queue; this keeps whose they are. Whoever takes a page takes it away, so that of
two Blenders that start at once only one receives the pictures on it.
"""

import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .contract import Blockout, ContractError, Job, dump, loads
from .history import Wish
from .session import Session
from .tasks import NOWHERE, Home, Task, Viewpoint

PAGES = "owed-*.json"
log = logging.getLogger(__package__)

NO_ID = 0  # no session id is: those of another Blender mean nothing here


@dataclass(frozen=True, kw_only=True)
class Owed:
    """A task, as far as it means something to another Blender."""

    job: Job
    request: Blockout
    wish: Wish
    pose: tuple[float, ...]
    home: Home = NOWHERE
    cancelled: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that one Blender left behind, oldest first."""

    owed: tuple[Owed, ...]


def leave(folder: Path, session: Session) -> None:
    """Write down for the next Blender what the scene might still have received. Raises OSError."""
    unfinished = (task for task in session.tasks if task.landed or task in session.unfetched)
    owed = tuple(_owed(task, task.job.id in session.cancelling) for task in unfinished)
    if owed:
        part = folder / f"owed-{uuid.uuid4().hex}.part"
        part.write_text(json.dumps(dump(Page(owed=owed))), "utf-8")
        part.replace(part.with_suffix(".json"))


def take(folder: Path) -> Iterator[Owed]:
    """What is owed on every page there is; the pages are gone then."""
    for path in sorted(folder.glob(PAGES)):
        try:
            page = loads(Page, path.read_bytes())
            path.unlink()
        except ContractError as error:  # a newer add-on's, which will come back for it
            log.warning("%s is left where it is: %s", path.name, error)
        except OSError:  # another Blender was quicker
            continue
        else:
            yield from page.owed


def resumed(session: Session, folder: Path) -> Session:
    """The session with what another Blender left behind; what was cancelled there is still to be cancelled."""
    owed = tuple(take(folder))
    cancelling = session.cancelling | {one.job.id for one in owed if one.cancelled}
    return replace(session, tasks=(*session.tasks, *map(_task, owed)), cancelling=cancelling)


def _owed(task: Task, cancelled: bool) -> Owed:
    request = loads(Blockout, task.request)
    view = task.view
    return Owed(job=task.job, request=request, wish=task.wish, pose=view.pose, home=view.home, cancelled=cancelled)


def _task(owed: Owed) -> Task:
    view = Viewpoint(scene=NO_ID, camera=NO_ID, pose=owed.pose, home=owed.home)
    area, request = owed.request.width * owed.request.height, json.dumps(dump(owed.request))
    return Task(job=owed.job, view=view, request=request, area=area, wish=owed.wish)
