# SPDX-License-Identifier: GPL-3.0-or-later
"""Which message stands in which section, and which are over because what they complain of is."""

from dataclasses import dataclass, replace

import bpy

from ...messages import fixes, sentences
from ...messages.fixes import Button
from ...messages.notice import Notice
from ...pictures.origin import scene_of
from ...runtime.app import app
from ...runtime.preferences import server_known
from ...session.progress import title
from ...session.state import Session
from ..causes import outlived
from ..context import Context
from .widgets import Tab, notice_box


@dataclass(frozen=True)
class Message:
    """A notice with its buttons; ``jobs`` are the failed ones that closing it dismisses."""

    notice: Notice
    buttons: tuple[Button, ...]
    jobs: str = ""
    closable: bool = True


def message(context: Context, session: Session) -> Message | None:
    """What stands under Generate: the answer to a press, else why a picture failed, else why there is no server; a
    warning only where none of these is to be said, for they would be hidden by it."""
    notice, answer = session.notice, None
    if notice is not None and not notice.section and not outlived(notice, context):
        answer = helped(notice)
        if not notice.warning:
            return answer
    if session.failed:
        return failure(context.scene, session)
    link = session.link.notice
    if link is None or (session.link.name == "absent" and link.code == "server-absent" and not session.waiting):
        return answer  # that there is none yet is said in the server's row, beside the button that starts it
    return replace(helped(link), closable=False)


def helped(notice: Notice) -> Message:
    """A notice with the buttons that help on this machine; where no server can be started yet, one is to be installed
    first, and its sentence says so too."""
    startable, known = app().startable, server_known()
    unknown = startable and not known and notice.code in ("server-absent", "live-offline")
    told = replace(notice, fix=sentences.server_unknown().fix) if unknown else notice
    return Message(told, fixes.of(told, startable, known))


def failure(scene: bpy.types.Scene, session: Session) -> Message:
    """Why the latest failed picture is none; the others' turn comes as each is dismissed."""
    task, notice = session.failed[0]
    origin, more = scene_of(task.view), len(session.failed) - 1
    elsewhere = ", for another file" if origin is None else "" if origin == scene else f", in {origin.name}"
    others = f" ({more} more failed.)" if more else ""
    words = f"Failed{elsewhere}: {title(task)}. {notice.message}{others}"
    offered = helped(notice).buttons if origin == scene else ()  # what buttons do, they would do to this one
    return Message(replace(notice, message=words), offered, jobs=task.job.id)


def section_notice(panel: Tab, section: str, context: Context) -> None:
    """In a section's panel, what its own buttons met."""
    notice = app().session.notice
    if notice is not None and notice.section == section and not outlived(notice, context):
        told = helped(notice)
        side = notice_box(panel.layout, told.notice, told.buttons, context)
        side.operator("maquette.dismiss", text="", icon="X", emboss=False)
