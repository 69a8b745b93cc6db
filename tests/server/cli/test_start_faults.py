# SPDX-License-Identifier: MIT
"""What stops a server from starting: one sentence that says what and what to do, and exit code 1; never a trace."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from server.cli.main import main
from server.queue.migrations import MIGRATIONS
from tests.server.serving import FAKE, environment, serving

NOISE = os.urandom(8192)
QUEUE = "is no queue of Maquette's, or is damaged"
HOME = "cannot be the server's home"


def queue(home: Path, script: str) -> None:
    with closing(sqlite3.connect(home / "jobs.sqlite")) as db:
        db.executescript(script)


FAULTS = {
    "noise for a queue": (lambda home: (home / "jobs.sqlite").write_bytes(NOISE), QUEUE),
    "a folder for a queue": (lambda home: (home / "jobs.sqlite").mkdir(), HOME),
    "another program's tables": (lambda home: queue(home, "CREATE TABLE job (x)"), QUEUE),
    "a version without tables": (lambda home: queue(home, f"PRAGMA user_version = {len(MIGRATIONS)}"), QUEUE),
    "an old version of others": (lambda home: queue(home, "CREATE TABLE a (x); PRAGMA user_version = 2"), QUEUE),
    "a later version": (lambda home: queue(home, "PRAGMA user_version = 1000"), "is of version 1000"),
    "noise for a lock": (lambda home: (home / "lock.sqlite").write_bytes(NOISE), HOME),
    "a folder for a lock": (lambda home: (home / "lock.sqlite").mkdir(), HOME),
    "a file for a shelf": (lambda home: (home / "shelf").write_text("x"), HOME),
    "a folder for a connection": (lambda home: (home / "connection.json").mkdir(), HOME),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_home_with_a_fault_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    prepare, sentence = FAULTS[fault]
    prepare(tmp_path)
    assert main(["serve", "--home", str(tmp_path), "--engine", FAKE]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and sentence in lines[0] and str(tmp_path) in lines[0]


@pytest.mark.parametrize("engine", ["nowhere:Engine", ":::", "server", "server.nowhere:Engine"])
def test_an_engine_that_is_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--home", str(tmp_path / "home"), "--engine", engine])
    assert ended.value.code == 2 and "is no engine that could be imported" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are texts here")
@pytest.mark.parametrize("flag", ["--home", "--models", "--loras"])
def test_a_path_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    """Workers and clients are told of it in JSON."""
    odd = tmp_path / os.fsdecode(b"na\xefve")
    odd.mkdir()
    words = ["serve", "--engine", FAKE, "--home", str(tmp_path / "home"), flag, str(odd)]
    assert main(words) == 1
    assert "na?ve has bytes that are no UTF-8" in capsys.readouterr().err
    assert list(odd.iterdir()) == [] and not (tmp_path / "home").exists()


def test_the_process_itself_ends_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite").write_bytes(NOISE)
    words = [sys.executable, "-m", "server", "serve", "--engine", FAKE, "--home", str(tmp_path)]
    ended = subprocess.run(words, env=environment(tmp_path), capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (1, "", 1)


def test_prompts_and_pictures_are_their_owner_s_in_a_home_that_all_may_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    (home / "jobs.sqlite").touch(mode=0o644)  # of a version that did not care
    with serving(home) as served:
        served.reaches(served.submit(prompt="a secret cat"))
        files = [path for path in home.rglob("*") if path.is_file()]
        assert {"jobs.sqlite", "jobs.sqlite-wal", "connection.json"} <= {path.name for path in files}
        assert [path.name for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
        assert stat.S_IMODE((home / "shelf").stat().st_mode) == 0o700
