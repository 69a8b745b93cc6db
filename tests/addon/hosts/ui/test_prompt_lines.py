# SPDX-License-Identifier: MIT
"""The prompt in several lines, where Blender has no box of them: what is opened and closed again says the same."""

import pytest

from addon.ui.operators.request.prompt import LINES, in_lines

PROMPTS = (
    "",
    "a castle",
    "a well-known sea-green half-timbered house " * 12,
    f"a {'very' * 40} long word",
    "x " * 900,
)


@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: prompt[:12] or "none")
def test_what_is_opened_and_closed_says_the_same(prompt):
    lines = in_lines(prompt)
    assert len(lines) == len(LINES)
    assert " ".join(line for line in lines if line).split() == prompt.split()
