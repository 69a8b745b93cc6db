# SPDX-License-Identifier: MIT
"""Sentences as lines of a panel: none is wider than its room, and no word is lost."""

from types import SimpleNamespace

import bpy
import pytest

from addon.ui.panels import widgets

WORDS = {
    "wide letters": "WWWWW MMMMM " * 12,
    "narrow letters": "ill fill till " * 12,
    "a command": "“no-such-program-here serve” cannot be run: No such file or directory.",
    "a path": "Look into /home/somebody/with/a/very/long/path/without/any/blank/in/it/at/all/server.log now",
    "another script": "城堡在草地上 " * 12,
    "one letter": "W",
}


def panel(width: int, scale: float = 1.0) -> SimpleNamespace:
    """A context as far as its width and scale, which the background has none of, and what Blender writes with."""
    system, styles = SimpleNamespace(ui_scale=scale), bpy.context.preferences.ui_styles
    preferences = SimpleNamespace(system=system, ui_styles=styles)
    return SimpleNamespace(region=SimpleNamespace(width=width * scale), preferences=preferences)


@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize("width", [200, 284, 600])
@pytest.mark.parametrize("kind", WORDS)
def test_every_line_fits_and_nothing_is_lost(kind, width, scale):
    text, context = WORDS[kind], panel(width, scale)
    lines = widgets.lines(text, context, widgets.BESIDE)
    room = (widgets.letters(context) - 4 - widgets.BESIDE) * widgets.LETTER * scale
    assert all(widgets.blf.dimensions(widgets.FONT, line)[0] <= room for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(line.strip() == line and line for line in lines)


def test_what_fits_is_one_line_and_nothing_is_none():
    assert widgets.lines("a few words", panel(600)) == ["a few words"]
    assert widgets.lines("", panel(600)) == [] == widgets.lines("  ", panel(600))


def test_a_word_that_fits_nowhere_is_broken():
    assert widgets.wrapped("abcdef gh", lambda line: len(line) <= 4) == ["abcd", "ef", "gh"]
    assert widgets.wrapped("abc", lambda line: not line) == ["a", "b", "c"]
