# SPDX-License-Identifier: GPL-3.0-or-later
"""How an operator ends: with the artist's notice answered, or with a sentence next to the button that says why not."""

import bpy

from ...messages.notice import Notice
from ...runtime.app import app
from ...session.reducer import notice_changed

Status = set[str]


def refuse(operator: bpy.types.Operator, notice: Notice) -> Status:
    """End an operator without doing anything, and say why where the artist looks."""
    dispatcher = app().dispatcher
    dispatcher.apply(notice_changed, notice)
    operator.report({"WARNING"}, f"{notice.message} {notice.fix}")
    return {"CANCELLED"}


def settle() -> Status:
    """What the artist just did answers the notice that stands there."""
    dispatcher = app().dispatcher
    dispatcher.apply(notice_changed, None)
    return {"FINISHED"}
