# SPDX-License-Identifier: GPL-3.0-or-later
"""What our panels share: their tab in Blender, and how they say a sentence."""

from collections.abc import Callable, Iterable, Sequence

import blf
import bpy

from ...messages.fixes import Button
from ...messages.notice import Notice
from ...runtime.windows import TAB
from ..context import Context, Icon

UNIT = 20 / 6  # a separator of factor 1 is 6 pixels high, a button 20
BORDER = 0.8  # heights of a button that a box is higher than what is in it
GAP = 0.1  # and that the space between its text and its buttons is high
FONT = 0  # the one that Blender writes its panels with
LETTER = 5.5  # pixels that one is wide on the average, at Blender's own scale, and no more than there is room for
BESIDE = 4  # letters that a column of icons is wide
LABEL = "as long as this"  # what an operator calls itself, where a button has no text of its own


class Drawable:
    """A panel or menu that is being drawn: then Blender, which calls it optional, has given it a layout."""

    layout: bpy.types.UILayout


class Tab(Drawable):
    """What our panels share: the tab they are in."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = TAB


def notice_box(
    layout: bpy.types.UILayout, notice: Notice, offered: Iterable[Button], context: Context
) -> bpy.types.UILayout:
    """A notice in a box: what is wrong and what to do, with the buttons that do it; where more may stand beside it."""
    box = layout.box()
    row = box.row()
    sentences(row, notice, context, BESIDE)
    side = row.column(align=True)
    side.operator("maquette.copy", text="", icon="COPYDOWN", emboss=False).text = notice.report
    buttons(box, notice, offered, context)
    return side


def message_rows(
    layout: bpy.types.UILayout,
    notice: Notice,
    offered: Sequence[Button],
    context: Context,
    most: int,
    beside: Callable[[bpy.types.UILayout], None],
) -> float:
    """A notice in a box no higher than ``most`` buttons, its end cut off where it is longer: the whole of it is under
    the pointer on its copy button. Returns how many heights of a button it takes; ``beside`` adds to its side."""
    below = button_rows(offered, context)
    words = lines(f"{notice.message} {notice.fix}".strip(), context, BESIDE)
    most_lines = max(2, most - below - 1)
    if len(words) > most_lines:
        words = [*words[: most_lines - 1], f"{words[most_lines - 1][:-1]}…"]
    box = layout.box()
    row = box.row()
    column = row.column(align=True)
    for number, line in enumerate(words):
        column.label(text=line, icon="BLANK1" if number else sign(notice))
    side = row.column(align=True)
    side.operator("maquette.copy", text="", icon="COPYDOWN", emboss=False).text = notice.report
    beside(side)
    buttons(box, notice, offered, context)
    return max(len(words), 2) + below + BORDER + (GAP if below else 0.0)


def sentences(layout: bpy.types.UILayout, notice: Notice, context: Context, beside: int = 0) -> None:
    """A notice as lines that fit the panel, and what as many letters need ``beside`` it: what is wrong; what to do."""
    column = layout.column(align=True)
    paragraph(column, notice.message, context, sign(notice), "BLANK1", beside)
    paragraph(column, notice.fix, context, "BLANK1", "BLANK1", beside)


def sign(notice: Notice) -> Icon:
    """What stands before a notice: without a code it is news, and no trouble."""
    return "ERROR" if notice.code else "INFO"


def paragraph(
    column: bpy.types.UILayout,
    text: str,
    context: Context,
    first: Icon = "NONE",
    then: Icon = "NONE",
    beside: int = 0,
) -> None:
    """A text as lines that fit the panel, with an icon before the first and one before the others."""
    for number, line in enumerate(lines(text, context, beside)):
        column.label(text=line, icon=then if number else first)


def lines(text: str, context: Context, beside: int = 0) -> list[str]:
    """A text as lines that fit the panel, with an icon and as many letters ``beside`` them."""
    system, style = context.preferences.system, context.preferences.ui_styles[0]
    blf.size(FONT, style.widget.points * system.ui_scale)
    room = (letters(context) - 4 - beside) * LETTER * system.ui_scale
    return wrapped(text, lambda line: float(blf.dimensions(FONT, line)[0]) <= room)


def wrapped(text: str, fits: Callable[[str], bool]) -> list[str]:
    """A text as lines that fit, broken between words; a word that fits no line, as a path may be, is broken itself."""
    result = [""]
    for word in text.split():
        line, rest = f"{result[-1]} {word}".strip(), word
        if fits(line):
            result[-1] = line
            continue
        result.append("")
        while rest:
            count = next((count for count in range(len(rest), 1, -1) if fits(rest[:count])), 1)
            result[-1], rest = rest[:count], rest[count:]
            if rest:
                result.append("")
    return [line for line in result if line]


def letters(context: Context) -> int:
    """How many fit beside each other in the panel."""
    return max(20, int(context.region.width / (7.5 * context.preferences.system.ui_scale)))


def button_rows(buttons: Sequence[Button], context: Context) -> int:
    """How many rows buttons take below each other: one where all fit beside each other."""
    wide = sum(len(button.text or LABEL) + 4 for button in buttons) < letters(context)
    return min(1, len(buttons)) if wide else len(buttons)


def buttons(layout: bpy.types.UILayout, notice: Notice, offered: Iterable[Button], context: Context) -> None:
    """The buttons below a notice, ready to be pressed: in a row, or under each other where they would be cut off."""
    buttons = list(offered)
    if not buttons:
        return
    line = layout.row(align=True) if button_rows(buttons, context) == 1 else layout.column(align=True)
    for button in buttons:
        kind, text = button.operator, button.text
        operator = line.operator(kind, text=text) if text else line.operator(kind)
        for name, value in button.arguments:
            setattr(operator, name, value)
        if button.subject_property:
            setattr(operator, button.subject_property, notice.subject)
