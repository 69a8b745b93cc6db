# SPDX-License-Identifier: GPL-3.0-or-later
"""How an operator ends: with the artist's notice answered, or with a sentence next to the button that says why not."""

import bpy

from ..layout import CaptureError, NoCamera, NothingMarked, PhraseMissing
from ..pump import desk
from ..session import Notice, noticed
from ..styles import StyleMissing

CURES = {
    NoCamera: "maquette.add_camera",
    NothingMarked: "maquette.add_selected",
    PhraseMissing: "maquette.insert_phrase",
    StyleMissing: "maquette.choose_style",
}
Status = set[str]


def refuse(operator: bpy.types.Operator, notice: Notice) -> Status:
    """End an operator without doing anything, and say why where the artist looks."""
    courier = desk().courier
    courier.move(noticed, notice)
    operator.report({"WARNING"}, f"{notice.message} {notice.fix}")
    return {"CANCELLED"}


def settle() -> Status:
    """What the artist just did answers the notice that stands there."""
    courier = desk().courier
    courier.move(noticed, None)
    return {"FINISHED"}


def in_words(error: CaptureError) -> Notice:
    """What is wrong with the scene, and the operator that cures it where there is one."""
    return Notice(message=error.message, fix=error.fix, cure=CURES.get(type(error), ""), subject=error.subject)
