# SPDX-License-Identifier: MIT
"""Notices: what errors and problems become in the panel, and in a report."""

import re
from dataclasses import replace
from pathlib import Path

import addon
from addon.client.exceptions import ServerProblem
from addon.messages.fixes import FIXES
from addon.messages.notice import LINKS, OF_A_FILE, Notice, complaint, notice
from addon.protocol.answers import Problem
from addon.session.reducer import file_opened, notice_changed
from addon.session.state import Session

PROBLEM = Problem(type="out-of-memory", title="Out of memory", status=507, detail="2048 px do not fit.", fix="Less.")
INSTALLATION = {
    "access-not-allowed",
    "wheel-unchosen",
    "wheel-damaged",
    "python-unsuitable",
    "pip-missing",
    "package-missing",
    "network-absent",
    "disk-full",
    "folder-unwritable",
    "installation-failed",
}
FOLDERS = {
    *("style-unkept", "style-shipped", "style-by-hand"),
    *("folders-unkept", "history-unreadable", "history-unwritten", "unkept"),
}
SERVER = {
    *("no-worker", "unauthorised", "browser", "foreign-host", "no-route", "key-reused", "not-json", "unknown-field"),
    *("queue-full", "none-waiting", "too-many-streams", "queue-unavailable", "internal", "no-model", "no-room"),
}
JOBS = {
    *("unknown-job", "unknown-artifact", "not-waiting", "unreadable-job", "interrupted", "worker-lost"),
    *("painting-failed", "out-of-memory", "filter-failed", "not-signed"),
}
ELSEWHERE = {"stumbled"} | LINKS | INSTALLATION | FOLDERS | SERVER | JOBS  # codes of what no file has a part in


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


def test_every_notice_of_a_file_leaves_with_it() -> None:
    """Each code is either of a file or of something that outlives it: a new one has to be put to one of them."""
    assert FIXES.keys() == OF_A_FILE | ELSEWHERE and not OF_A_FILE & ELSEWHERE
    for code in FIXES:
        shown = notice_changed(Session(), Notice(message="So.", code=code))
        assert (file_opened(shown).notice is None) == (code in OF_A_FILE), code


def test_what_outlives_a_file_speaks_of_nothing_in_it() -> None:
    page = (Path(addon.__file__).parent.parent / "docs" / "reference.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]*) \|", page, re.MULTILINE))
    words = re.compile(r"\b(scenes?|cameras?|regions?|views?|prompt|phrase|seed)\b", re.IGNORECASE)
    assert {code: rows[code] for code in ELSEWHERE if words.search(rows[code])} == {}
