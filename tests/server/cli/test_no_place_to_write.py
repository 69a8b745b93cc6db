# SPDX-License-Identifier: MIT
"""Nowhere to write: read-only folders, files in the way, full disks.

One sentence with the path and what to do, exit code 1, never a trace; and what was there before is there still.
"""

import errno
import json
import os
import shutil
import subprocess
import sys

import pytest

from addon.protocol.strict_json import dump
from server.cli import files
from server.cli.main import main
from server.http.host import sole
from server.queue.migrations import connect
from tests.mortal import mortally, without_root_rights
from tests.server.serving import blockout, environment

HOME, OUT = "name another folder with --home or MAQUETTE_HOME", "or name another folder with --out"


@pytest.fixture
def folders(tmp_path):
    """One that is only read, and a file where a folder should be."""
    locked, blocker = tmp_path / "locked", tmp_path / "file"
    locked.mkdir()
    locked.chmod(0o555)
    blocker.write_text("in the way")
    yield {"read-only": locked / "x", "of others": locked, "under a file": blocker / "x", "a file": blocker}
    locked.chmod(0o755)


def said(words, capsys):
    """What a command says that must fail, in one line."""
    with without_root_rights():
        assert main(words) == 1
    told = capsys.readouterr()
    assert (told.out, "Traceback" in told.err) == ("", False)
    return told.err.splitlines()[-1]


@pytest.mark.parametrize("kind", ["read-only", "of others", "under a file", "a file"])
def test_a_home_that_cannot_be(folders, capsys, kind):
    line = said(["serve", "--home", str(folders[kind])], capsys)
    assert line.startswith(f"{folders[kind]} cannot be the server's home (") and line.endswith(HOME)


def test_a_home_whose_files_are_another_s(tmp_path, capsys):
    """It was made by root once: the lock can be read, and nothing can be written."""
    with sole(tmp_path / "home"):
        connect(tmp_path / "home" / "jobs.sqlite").close()
    for path in (tmp_path / "home").iterdir():
        path.chmod(0o444)
    (tmp_path / "home").chmod(0o555)
    line = said(["serve", "--home", str(tmp_path / "home")], capsys)
    (tmp_path / "home").chmod(0o755)
    assert line.startswith(f"{tmp_path / 'home'} cannot be the server's home (") and line.endswith(HOME)


@pytest.mark.parametrize("kind", ["read-only", "of others", "under a file", "a file"])
def test_results_that_have_no_folder(folders, tmp_path, served, monkeypatch, capsys, kind):
    """Said before anything is painted."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    before = served.json("GET", "/v1/jobs")[1]
    request = tmp_path / "cat.blockout.json"
    request.write_text(json.dumps(dump(blockout())))
    line = said(["render", str(request), "--out", str(folders[kind])], capsys)
    assert line.startswith(f"{folders[kind]}: ") and line.endswith(OUT)
    assert served.json("GET", "/v1/jobs")[1] == before
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize("kind", ["read-only", "under a file", "a file"])
def test_a_demo_that_has_no_folder(folders, capsys, kind):
    """Said before minutes of work."""
    line = said(["demo", "--out", str(folders[kind])], capsys)
    assert line.startswith(f"{folders[kind]}: ") and line.endswith(OUT)


@pytest.mark.long  # they import the network
@pytest.mark.parametrize(
    "words",
    [
        "toybox train --minutes 0.001 --folder",
        "bench placement --cases 1 --out",
        "toybox sheets --folder x --out",
    ],
)
def test_every_verb_that_writes(folders, capsys, words):
    """The command line says it for them: none has words of its own for a disk."""
    path = folders["under a file"]
    with without_root_rights():
        assert main([*words.split(), str(path)]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(str(path)) and line.endswith("; a file is in the way: move it")


def test_no_temporary_folder(folders, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(folders["of others"]))
    request = tmp_path / "cat.blockout.json"
    request.write_text(json.dumps(dump(blockout())))
    line = said(["render", str(request), "--out", str(tmp_path / "out")], capsys)
    assert line.startswith(f"{folders['of others']}: ") and line.endswith("or set TMPDIR to another folder")


@pytest.mark.parametrize("text", ["70000", "-1", "99999999999999999999", "http", "1.5", "²"])
def test_a_port_that_is_none(capsys, text):
    with pytest.raises(SystemExit, match="2"):
        main(["serve", f"--port={text}"])
    assert f"{text} is no port: choose one of 1 to 65535" in capsys.readouterr().err


def test_a_whole_process_says_one_sentence(folders):
    """As it is typed, with a home for the command's own note that cannot be written either."""
    words = mortally([sys.executable, "-m", "server", "serve"])
    done = subprocess.run(words, env=environment(folders["read-only"]), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [done.stderr.strip()] and str(folders["read-only"]) in done.stderr


def test_a_reader_that_goes_leaves_no_trace(capsys):
    program = "import sys; from server.cli.main import main; sys.exit(main(['--help']))"
    words = f"{sys.executable} -c {json.dumps(program)} | true"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True)
    assert done.stderr == ""


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    files.write(path, b"before")
    monkeypatch.setattr("pathlib.Path.replace", _full)
    sentence = r"No space left on device; make room there, or name another"
    with pytest.raises(files.CannotWrite, match=sentence), files.writing(path, "name another"):
        files.write(path, b"after")
    assert path.read_bytes() == b"before"
    assert [item.name for item in tmp_path.iterdir() if item.suffix == ".part"] == []


def _full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="only root can make a small disk")
@pytest.mark.parametrize("verb", ["serve", "render"])
def test_a_disk_that_is_full(tmp_path, served, verb):
    """A file system of its own that has no byte left."""
    disk, request = tmp_path / "disk", tmp_path / "cat.blockout.json"
    disk.mkdir()
    request.write_text(json.dumps(dump(blockout())))
    words = {"serve": f"serve --home {disk}/home", "render": f"render {request} --out {disk}/out"}[verb]
    fill = f"mkdir {disk}/home {disk}/out; head -c 99999999 /dev/zero > {disk}/full 2>/dev/null"
    script = f"mount -t tmpfs -o size=64k none {disk} && {{ {fill}; {sys.executable} -m server {words}; }}"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], env=environment(served.home), capture_output=True)
    said = done.stderr.decode()
    if "mount" in said or "unshare" in said:
        pytest.skip("no file system can be mounted here")
    assert done.returncode == 1
    assert str(disk) in said and "Traceback" not in said and "room" in said
