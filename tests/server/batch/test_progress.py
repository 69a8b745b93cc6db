# SPDX-License-Identifier: MIT
"""How far a batch says it is."""

import os
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from server.batch.progress import Counts, clock
from tests.server.batch.batches import requests
from tests.server.serving import environment


def test_the_time_left():
    counts = Counts(began=time.monotonic() - 10.0)
    for kind in ("asked", "asked", "asked", "asked", "there", "saved", "waiting"):
        counts.count(kind)
    assert counts.left == pytest.approx(20.0, rel=0.01)
    assert counts.words() == "2 of 4: 1 painted, 1 there, 0 failed, 0:00:20 left"
    assert Counts().left is None
    assert clock(3661) == "1:01:01"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_has_a_table(tmp_path, served):
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    words = [sys.executable, "-m", "server", "paint", requests(tmp_path / "in", 2), "--out", tmp_path / "out"]
    environ = {**environment(served.home), "TERM": "xterm"}
    with (tmp_path / "saved").open("w") as saved:
        batch = subprocess.Popen(list(map(str, words)), env=environ, stdout=saved, stderr=theirs)
    os.close(theirs)
    shown = read_until_it_ends(ours)
    assert batch.wait(60) == 0
    assert "scene" in shown and "cats" in shown and "2 of 2: 2 painted" in shown
    lines = (tmp_path / "saved").read_text().splitlines()
    assert f"Saved: '{tmp_path / 'out'}/cats/Camera/seed0007/0002.png'" in lines


def read_until_it_ends(terminal):
    """All that is shown on a terminal."""
    shown = b""
    with suppress(OSError):  # Linux's word for the other end that is closed
        while part := os.read(terminal, 2**16):
            shown += part
    os.close(terminal)
    return shown.decode()
