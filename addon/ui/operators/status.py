# SPDX-License-Identifier: GPL-3.0-or-later
"""How an operator ends: with the artist's notice answered, or with a sentence next to the button that says why not."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from types import MappingProxyType
from typing import TypeVar

import bpy

from ...messages import fixes
from ...messages.errors import UserError
from ...messages.notice import Notice, notice
from ...runtime.app import app
from ...runtime.windows import redraw
from ...session.reducer import notice_changed
from ..context import Context

Status = set[str]
Pressed = TypeVar("Pressed", bound=bpy.types.Operator)


SECTIONS: Mapping[str, str] = MappingProxyType(  # by the module of operators, where their buttons are
    {
        "regions": "regions",
        "model_and_style": "settings",
        "adapters": "settings",
        "projections": "views",
        "bake": "views",
        "paint_views": "views",
        "history": "history",
        "reuse": "history",
    }
)


def say(operator: bpy.types.Operator, notice: Notice) -> None:
    """Show what an operator has to say in the section where it was pressed: in its own, or where the notice stands
    that offered it."""
    module, standing = type(operator).__module__.rpartition(".")[2], app().session.notice
    offered = fixes.of(standing) if standing is not None else ()
    name = type(operator).bl_idname
    answers = standing is not None and any(button.operator == name for button in offered)
    section = standing.section if standing is not None and answers else SECTIONS.get(module, "")
    app().dispatcher.apply(notice_changed, replace(notice, section=section))
    redraw()  # a shortcut, a menu or a dialog has no panel that is drawn anew by itself


def refuse(operator: bpy.types.Operator, notice: Notice) -> Status:
    """End an operator without doing anything, and say why where the artist looks."""
    say(operator, notice)
    operator.report({"WARNING"}, f"{notice.message} {notice.fix}")
    return {"CANCELLED"}


def refusing(execute: Callable[[Pressed, Context], Status]) -> Callable[[Pressed, Context], Status]:
    """An operator's ``execute``; a UserError that it raises before it has changed anything becomes a refusal."""

    @wraps(execute)
    def guarded(self: Pressed, context: Context) -> Status:
        try:
            return execute(self, context)
        except UserError as error:
            return refuse(self, notice(error))

    return guarded


def settle() -> Status:
    """What the artist just did answers the notice that stands there."""
    app().dispatcher.apply(notice_changed, None)
    redraw()
    return {"FINISHED"}


def call(operator: str, *mode: str | bool, **values: object) -> Status:
    """Run another operator by its name, ``maquette.show``; ``mode`` is its execution context, and whether it can be
    undone by itself."""
    module, _, name = operator.partition(".")
    return set(getattr(getattr(bpy.ops, module), name)(*mode, **values))
