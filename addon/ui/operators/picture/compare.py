# SPDX-License-Identifier: GPL-3.0-or-later
"""Two pictures of the history compared: one on each side of a line that is dragged."""

import bpy
from bpy.props import StringProperty

from ....messages import sentences
from ....messages.errors import Misfit
from ....pictures import history
from ....pictures.comparison import comparison
from ....pictures.gallery import entries
from ....pictures.image import ENTRY
from ....runtime.app import app
from ...context import Context
from ...image_editor import current
from ...sheet_views import editor_for
from ..status import Status, refuse, refusing, settle
from .history import entry_of


class Compare(bpy.types.Operator):
    """The scene's picture and this one, or the one before it, on two sides of a line that you drag"""

    bl_idname = "maquette.compare"
    bl_label = "Compare"

    name: StringProperty(
        description="The picture on the right; empty for the latest other", options={"HIDDEN", "SKIP_SAVE"}
    )
    other: StringProperty(description="That on the left; empty for the scene's", options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: Context) -> bool:
        return context.area is not None

    @refusing
    def execute(self, context: Context) -> Status:
        first, second = _pair(context.scene, self.name, self.other)
        sides = entry_of(context, first), entry_of(context, second)
        absent = next((name for name in (first, second) if not history.picture(app().gallery.folder, name)), None)
        if absent is not None:
            return refuse(self, sentences.picture_absent(absent))
        editor = editor_for(context)
        if editor is None:
            return refuse(self, sentences.no_editor())
        app().comparison = comparison(editor.spaces.active.as_pointer(), *sides)
        editor.tag_redraw()
        return settle()


def _pair(scene: bpy.types.Scene, name: str, other: str) -> tuple[str, str]:
    """Left and right. Raises Misfit where there are no two."""
    image = current(scene)
    first = other or (image.get(ENTRY, "") if image is not None else "")
    if not first:
        raise Misfit("There is no picture yet.", "Press Generate first.")
    second = name or next((item.name for item in reversed(entries(scene)) if item.name != first), "")
    if second == first:
        raise Misfit("This is the scene's picture itself.", "Choose another one to compare it with.")
    if not second:
        raise Misfit("There is no other picture yet.", "Generate another one first.")
    return first, second


CLASSES = (Compare,)
