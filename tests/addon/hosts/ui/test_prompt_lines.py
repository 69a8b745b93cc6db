# SPDX-License-Identifier: MIT
"""The prompt in several lines, where Blender has no box of them: what is opened and closed again says the same."""

import bpy
import pytest
from hypothesis import given
from hypothesis.strategies import text

from addon.request.settings import PROMPT
from addon.runtime.app import App
from addon.ui.operators.request.prompt import LINES, WRAPPED, in_lines, joined

JAPANESE = "青い屋根の古い城と赤いロケットが、夕暮れの草原に立っている。"
PROMPTS = {
    "none": "",
    "short": "a castle",
    "hyphens": ("a well-known sea-green half-timbered house " * 12).strip(),
    "a long word": f"a {'very' * 200} long word",
    "many": ("x " * 900).strip(),
    "Japanese": JAPANESE * 12,
    "Japanese with blanks": f"{JAPANESE} 水彩 城 " * 12 + "夜",
    "Thai": "ปราสาทเก่าบนเนินเขา" * 20,
    "both": f"{JAPANESE} in watercolour, " * 12 + "夜",
}


@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_what_is_opened_and_closed_says_the_same(application: App, prompt: str) -> None:
    lines = in_lines(prompt)
    assert len(lines) == len(LINES)
    assert bpy.ops.maquette.edit_prompt(**dict(zip(LINES, lines, strict=True))) == {"FINISHED"}
    assert bpy.context.scene[PROMPT] == prompt


@given(text(alphabet="a城夜。 　", max_size=1000))
def test_any_prompt_is_joined_as_it_was(prompt: str) -> None:
    assert joined(in_lines(prompt)) == prompt.strip()


def test_scripts_without_blanks_fill_lines_too() -> None:
    *full, _ = (line for line in in_lines(JAPANESE * 10) if line)
    assert len(full) > 2 and all(WRAPPED - 10 < len(line) <= WRAPPED for line in full)
