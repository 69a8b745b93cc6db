# SPDX-License-Identifier: MIT
"""SECURITY.md: every line of the threat model names the tests that guard it, and they are there."""

import re

from tests.architecture.reading import ROOT

PAGE = ROOT / "SECURITY.md"


def guards(page: str) -> list[list[str]]:
    """The tests that each line of the table names."""
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")]
    return [re.findall(r"`(tests/[^`]+)`", row[-1]) for row in rows[1:]]


def test_every_line_is_guarded() -> None:
    lines = guards(PAGE.read_text("utf-8"))
    assert len(lines) >= 10 and all(lines)
    assert [path for line in lines for path in line if not (ROOT / path).is_file()] == []


def test_law_catches_a_line_without_a_guard() -> None:
    assert guards("| who | guarded by |\n|---|---|\n| a | `tests/x.py` |\n| b | nobody |\n") == [["tests/x.py"], []]
