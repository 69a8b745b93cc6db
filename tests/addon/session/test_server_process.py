# SPDX-License-Identifier: MIT
"""The server on this machine as a child: started by a command, ended with us, and heard when it dies."""

import signal
import sys
from pathlib import Path

import pytest

from addon.session import reducer, server_process
from addon.session.state import Session

BARS = "\rpainting:  25%|██▌       | 1/4 [00:07<00:22,  7.53s/it]\rdenoiser: 8s [00:08,  1.02s/s]\n\n"
TRACE = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    go()\n'


def last_words(log: Path, written: str) -> str:
    """What the panel shows of a server that wrote this and died."""
    log.write_text(written, "utf-8")
    return server_process.ended(Session(), 1, log).link.notice.message


def test_a_child_that_dies_leaves_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    child = server_process.start("python3 -c \"raise SystemExit('no room on the disk')\"", log)
    session = server_process.ended(Session(), child.wait(timeout=10), log)
    server_process.let_go(child)
    assert session.link.name == "died"
    assert session.link.notice.message == "The server ended with code 1: no room on the disk"
    assert server_process.ended(Session(), -signal.SIGTERM, log).link.name == "absent"
    assert (
        server_process.ended(reducer.server_stopping(Session()), 1, log).link.name == "absent"
    )  # Windows knows no signals
    assert server_process.ended(Session(), 1, tmp_path / "gone").link.notice.message == "The server ended with code 1."


def test_a_child_is_on_a_leash(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    words = "import os, sys; sys.stdin.read(); print(os.environ['MAQUETTE_LEASH'], 'has gone')"
    child = server_process.start(f'{sys.executable} -c "{words}"', log)
    server_process.let_go(child)
    assert child.wait(timeout=10) == 0
    assert log.read_text() == "1 has gone\n"


def test_progress_bars_and_traces_are_no_last_words(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    assert last_words(log, f"{BARS}{TRACE}OSError: no room\n{BARS}") == "The server ended with code 1: OSError: no room"
    assert (
        last_words(log, f"{server_process.GREETING} http://x\n\none\ntwo\n") == "The server ended with code 1: one\ntwo"
    )
    assert last_words(log, BARS) == "The server ended with code 1."


def test_a_killed_server_has_no_last_words(tmp_path: Path) -> None:
    """The log ends with what an earlier picture failed of."""
    log = tmp_path / "server.log"
    log.write_text("2026-01-01 00:00:00,000 ERROR __main__: job 1 failed\n", "utf-8")
    session = server_process.ended(Session(), -signal.SIGKILL, log)
    assert session.link.notice.message == "The server was killed by signal 9."


def test_last_words_are_not_cut_off(tmp_path: Path) -> None:
    """Neither the room in the panel nor the part of the log that is read cuts off their beginning."""
    log, line = tmp_path / "server.log", " ".join(["word"] * 30)
    assert last_words(log, f"{line}\n{line}\n") == f"The server ended with code 1: {line}"
    assert last_words(log, "abcdefgh " * 1000 + f"\n{line}") == f"The server ended with code 1: {line}"
    long = last_words(log, "OSError: " + "word " * 100).removeprefix("The server ended with code 1: ")
    assert long.startswith("OSError: word") and long.endswith(" word…") and len(long) <= server_process.TAIL


def test_a_command_that_the_server_does_not_understand(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    child = server_process.start(f"{sys.executable} -m server sevre", log)
    session = server_process.ended(Session(), child.wait(timeout=60), log)
    server_process.let_go(child)
    notice = session.link.notice
    assert (session.link.name, notice.code) == ("died", "command-fails")
    assert notice.message == "The server command was not understood."
    assert notice.fix == "It should end with serve; see the preferences."


def test_a_command_that_is_none_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        server_process.start("no-such-program-here serve", tmp_path / "log")
    with pytest.raises(ValueError):
        server_process.start('maquette "serve', tmp_path / "log")
    with pytest.raises(ValueError, match="empty"):
        server_process.start("  ", tmp_path / "log")


def test_another_verb_runs_the_same_program_with_the_same_folders_of_loras() -> None:
    command = "env HOME='/a b' maquette serve --port 8765 --loras /loras --models m --loras '/more loras'"
    words = ["env", "HOME=/a b", "maquette", "inspect", "a.png", "--loras", "/loras", "--loras", "/more loras"]
    assert server_process.verb_words(command, ["inspect", "a.png"]) == words


@pytest.mark.parametrize("command", ["", "maquette", "ssh elsewhere", "maquette 'serve"])
def test_a_command_that_serves_nothing_has_no_other_verb(command: str) -> None:
    with pytest.raises(ValueError, match=r"serve|quotation"):
        server_process.verb_words(command, ["inspect"])
