# SPDX-License-Identifier: GPL-3.0-or-later
"""What our panels share: their place in Blender, and how they say a sentence."""

import textwrap
from collections.abc import Iterable

import bpy

from ..cures import Button
from ..notices import Notice


class Tab:
    """What our panels share: their place."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Maquette"


def sentences(layout: bpy.types.UILayout, notice: Notice, context: bpy.types.Context) -> None:
    """A notice as lines that fit the panel: what is wrong, then what to do."""
    column = layout.column(align=True)
    paragraph(column, notice.message, context, "ERROR", "BLANK1")
    paragraph(column, notice.fix, context, "BLANK1", "BLANK1")


def paragraph(
    column: bpy.types.UILayout, text: str, context: bpy.types.Context, first: str = "NONE", then: str = "NONE"
) -> None:
    """A text as lines that fit the panel, with an icon before the first and one before the others."""
    letters = max(16, int(context.region.width / (7.5 * context.preferences.system.ui_scale)) - 4)
    for place, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=then if place else first)


def buttons(layout: bpy.types.UILayout, notice: Notice, offered: Iterable[Button]) -> None:
    """The cures of a notice, ready to be pressed."""
    for button in offered:
        operator = layout.operator(button.operator, **({"text": button.text} if button.text else {}))
        for name, value in button.arguments:
            setattr(operator, name, value)
        if button.hands:
            setattr(operator, button.hands, notice.subject)
