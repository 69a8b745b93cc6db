# SPDX-License-Identifier: MIT
"""Progress where standard error is a file: whole lines, no bar that is drawn over."""

from itertools import pairwise

from server.cli.terminal import bar


def test_progress_in_a_file_is_lines_with_steps_and_the_time_left(capsys):
    with bar(desc="painting", total=3, mininterval=0.0) as progress:
        for _ in range(3):
            progress.update()
    written = capsys.readouterr().err
    assert "\r" not in written
    lines = written.splitlines()
    assert lines[0] == "painting: 0 of 3", "nothing is said of a time that nobody knows"
    assert lines[-1] == "painting: 3 of 3"
    assert len(lines) == len(set(lines))


def test_what_is_waited_for_is_said_at_once(capsys):
    with bar(desc="painting", total=3) as progress:
        progress.set_postfix_str("queued")
    assert capsys.readouterr().err.splitlines() == ["painting: 0 of 3", "painting: 0 of 3, queued"]


def test_a_bar_inside_another_leaves_no_signs_of_a_terminal(capsys):
    for _ in bar(range(2), desc="examples"):
        for _ in bar(range(3), desc="painting"):
            pass
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "examples: 2 of 2"
    assert not any("\x1b" in line for line in lines)
    assert all(one != other for one, other in pairwise(lines))
