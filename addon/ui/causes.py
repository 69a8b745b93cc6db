# SPDX-License-Identifier: GPL-3.0-or-later
"""Which notices are over, for what they complain of is not so any more. A message leaves when its cause does."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..messages.errors import UserError
from ..messages.notice import Notice
from ..projection.projectors import projectors
from ..regions import marks
from ..request.phrases import said, spellings
from ..request.settings import PROMPT, STYLE
from ..runtime.app import app
from .context import Context, view_3d
from .image_editor import shows_materials


def outlived(notice: Notice, context: Context) -> bool:
    """Whether the scene as it stands no longer gives cause for a notice."""
    over = CAUSES.get(notice.code)
    return over is not None and over(notice, context)


def _unseen(notice: Notice, context: Context) -> bool:
    """The view shows materials, or nothing is projected any more."""
    space = view_3d(context)
    return (space is not None and shows_materials(space)) or not projectors(context.scene)


def _phrase_missing(notice: Notice, context: Context) -> bool:
    """The prompt says each of the phrases now, or need not, or nothing is called so."""
    phrases = [mark.phrase for mark in marks.marks(context.scene) if not mark.unnamed]
    spelt = spellings(phrases, context.scene.get(PROMPT, ""))
    missing = {phrase.casefold() for phrase, says in zip(phrases, spelt, strict=True) if says is None}
    return missing.isdisjoint(notice.subject.casefold().splitlines())


def _strange_words(notice: Notice, context: Context) -> bool:
    """None of the words is in the prompt, in a style's words or in a region's phrase any more."""
    scene = context.scene
    style = app().style_library.find(scene.get(STYLE, ""))
    text = f"{scene.get(PROMPT, '')} {style.text if style else ''}"
    return all(said(word, text) is None for word in notice.subject.splitlines())


def _phrase_shared(notice: Notice, context: Context) -> bool:
    try:
        marks.check_apart(context.scene)
    except UserError:
        return False
    return True


def _nothing_marked(notice: Notice, context: Context) -> bool:
    return bool(marks.marks(context.scene))


def _no_camera(notice: Notice, context: Context) -> bool:
    return context.scene.camera is not None


def _nothing_selected(notice: Notice, context: Context) -> bool:
    return bool(context.selected_objects)


def _whole_scene(notice: Notice, context: Context) -> bool:
    return context.collection != context.scene.collection


def _style_missing(notice: Notice, context: Context) -> bool:
    name = context.scene.get(STYLE, "")
    return name != notice.subject or app().style_library.find(name) is not None


CAUSES: Mapping[str, Callable[[Notice, Context], bool]] = MappingProxyType(
    {
        "unseen": _unseen,
        "phrase-missing": _phrase_missing,
        "strange-words": _strange_words,
        "phrase-shared": _phrase_shared,
        "nothing-marked": _nothing_marked,
        "no-camera": _no_camera,
        "nothing-selected": _nothing_selected,
        "whole-scene": _whole_scene,
        "style-missing": _style_missing,
    }
)
