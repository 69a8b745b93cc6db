# SPDX-License-Identifier: MIT
"""Notices: what errors and problems become in the panel, and in a report."""

from dataclasses import replace

from addon.client.exceptions import ServerProblem
from addon.messages.notice import Notice, complaint, notice
from addon.protocol.answers import Problem

PROBLEM = Problem(type="out-of-memory", title="Out of memory", status=507, detail="2048 px do not fit.", fix="Less.")


def test_a_notice_is_reported_whole() -> None:
    told = Notice(message="It broke.", fix="Mend it.", code="stumbled", subject="a", trace="line 1\nline 2")
    assert told.report == "It broke. Mend it.\nstumbled a\nline 1\nline 2"
    assert Notice(message="It broke.").report == "It broke."


def test_a_problem_in_the_panel_s_words() -> None:
    told = Notice(message="2048 px do not fit.", fix="Less.", code="out-of-memory", subject="a")
    assert complaint(PROBLEM, "a") == told
    assert complaint(replace(PROBLEM, detail="", path="prompt")).message == "Out of memory (prompt)."


def test_a_problem_speaks_for_itself() -> None:
    problem = Problem(type="full", title="Queue full", status=429, detail="64 jobs wait.", fix="Cancel some.")
    assert notice(ServerProblem(problem)) == Notice(message="64 jobs wait.", fix="Cancel some.", code="full")
