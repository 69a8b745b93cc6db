# SPDX-License-Identifier: MIT
"""Files that are otherwise than a batch expects: damaged, somebody else's, of odd names, gone; and a disk that is full.

Each ends in a sentence, hinders no other, and nothing of anybody's is replaced.
"""

import json
import os
import resource
import subprocess
import sys

import pytest
from PIL import Image

from server.batch.manifest import FILE, read_rows
from server.batch.page import PAGE, SHEET
from server.cli.main import main
from tests.server.batch.batches import pictures, requests
from tests.server.serving import ROOT, environment

FIRST = "cats/Camera/seed0007/0001"


@pytest.fixture
def here(served, monkeypatch):
    """The running server is this person's."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    return served


def painted(*words):
    return main(["paint", *map(str, words)])


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"\xff\xfe", b'{"version": 9}'])
def test_a_request_that_is_none_hinders_no_other(tmp_path, here, capsys, content):
    folder = requests(tmp_path / "in", 2)
    (folder / f"{FIRST}.blockout.json").write_bytes(content)
    assert painted(folder, "--out", tmp_path / "out") == 1
    assert f"{FIRST}: " in (said := capsys.readouterr().err) and "is no blockout" in said
    assert list(read_rows(tmp_path / "out")) == ["cats/Camera/seed0007/0002"]


def test_a_change_that_fits_some_requests_hinders_no_other(tmp_path, here, capsys):
    folder = requests(tmp_path / "in", 2)
    requests(tmp_path / "in", 1, prompt="nothing at all", regions=())
    assert painted(folder, "--set", "cat.strength=0.5", "--out", tmp_path / "out") == 1
    assert f"{FIRST}: There is no region 'cat'; there is none" in capsys.readouterr().err
    assert list(read_rows(tmp_path / "out")) == ["cats/Camera/seed0007/0002"]
    assert painted(folder, "--set", "size=50", "--out", tmp_path / "other") == 1
    assert capsys.readouterr().err.count("cannot be set once a scene is captured") == 1


def test_captured_requests_are_not_replaced_by_others(tmp_path, here, capsys):
    """Their folder may be that of the pictures, as long as those are of them."""
    folder = requests(tmp_path / "in", 1)
    before = pictures(folder)
    assert painted(folder, "--set", "steps=2", "--out", folder) == 1
    assert "asks for something else: name another folder with --out" in capsys.readouterr().err
    assert pictures(folder) == before
    assert painted(folder, "--out", folder) == 0
    assert pictures(folder).items() >= before.items()


def test_a_request_that_is_written_otherwise_is_the_same(tmp_path, here):
    folder = requests(tmp_path / "in", 1)
    (file,) = folder.rglob("*.blockout.json")
    file.write_text(json.dumps(json.loads(file.read_text()), indent=2) + "\n")
    assert painted(folder, "--out", folder) == 0


@pytest.mark.parametrize("name", [PAGE, SHEET, FILE])
def test_somebody_s_own_page_is_not_replaced(tmp_path, here, capsys, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_bytes(b"mine\n")
    assert painted(requests(tmp_path / "in", 1), "--out", out) == 1
    assert f"{out / name} is there already, and" in capsys.readouterr().err
    assert (out / name).read_bytes() == b"mine\n" and pictures(out) == {}
    assert painted(tmp_path / "in", "--out", out, "--overwrite") == 0
    assert painted(tmp_path / "in", "--out", out) == 0


def test_a_picture_that_is_none_any_more_leaves_the_pages(tmp_path, here, capsys):
    folder, out = requests(tmp_path / "in", 2), tmp_path / "out"
    assert painted(folder, "--out", out) == 0
    (out / PAGE).unlink()
    (out / f"{FIRST}.png").write_bytes(b"retouched, and broken")
    assert painted(folder, "--out", out) == 1
    assert "has been changed since it was painted" in capsys.readouterr().err
    assert (out / f"{FIRST}.png").read_bytes() == b"retouched, and broken"
    assert FIRST in (out / PAGE).read_text()


def test_the_best_of_pictures_that_are_there(tmp_path, here, capsys):
    """One of another's in the way, and one whose picture is gone and cannot be had again, hinder none of the rest."""
    folder, out = requests(tmp_path / "in", 2), tmp_path / "out"
    assert painted(folder, "--best", 2, "--out", out) == 0
    (out / "cats/Camera/best/0001.png").write_bytes(b"somebody's")
    (out / "cats/Camera/seed0007/0002.png").unlink()
    (folder / "cats/Camera/seed0007/0002.blockout.json").write_text("damaged")
    (out / PAGE).unlink()
    assert painted(folder, "--best", 2, "--out", out) == 1
    said = capsys.readouterr().err
    assert "none of this batch's pictures of that view" in said and "is no blockout" in said
    assert (out / "cats/Camera/best/0001.png").read_bytes() == b"somebody's"
    assert (out / PAGE).is_file()


def test_the_best_of_a_single_file(tmp_path, here, capsys):
    one = requests(tmp_path / "in", 1) / f"{FIRST}.blockout.json"
    one = one.rename(tmp_path / "a cat; $(ls).blockout.json")
    assert painted(one, "--best", 2, "--out", tmp_path / "out") == 0
    assert f"Saved: '{tmp_path}/out/a cat; $(ls)-best.png'" in capsys.readouterr().out
    names = {path.stem for path in (tmp_path / "out").glob("a cat*.png")}
    assert names == {"a cat; $(ls)", "a cat; $(ls)-seed0008", "a cat; $(ls)-best"}
    page = (tmp_path / "out" / PAGE).read_text()
    assert "maquette render 'a cat; $(ls).blockout.json' --out again" in page  # no command of a shell


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are texts here")
def test_names_that_are_no_text(tmp_path, here, capsys):
    odd = os.fsdecode(b"na\xefve")
    folder = requests(tmp_path / odd, 1)
    (folder / "cats").rename(folder / odd)
    assert painted(folder, "--out", tmp_path / f"{odd} out") == 0
    assert "na\\udcefve out" in capsys.readouterr().out
    (name,) = read_rows(tmp_path / f"{odd} out")
    assert (tmp_path / f"{odd} out" / f"{name}.png").is_file()
    assert painted(folder, "--out", tmp_path / f"{odd} out") == 0
    assert "1 of 1: 0 painted, 1 there" in capsys.readouterr().err


def test_a_full_disk_says_so_and_loses_nothing(tmp_path, here):
    """A limit of what a file may hold, as a quota has it, stands for the disk."""
    folder, out = requests(tmp_path / "in", 3), tmp_path / "out"

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))

    words = [sys.executable, "-m", "server", "paint", str(folder), "--out", str(out)]
    world = environment(here.home)
    done = subprocess.run(words, cwd=ROOT, env=world, preexec_fn=limit, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "make room there, or name another folder with --out" in done.stderr
    assert not list(out.rglob("*.part"))
    assert painted(folder, "--out", out) == 0
    assert len(read_rows(out)) == 3


def test_whoever_reads_the_news_may_go(tmp_path, here):
    """As head does; it is not taken for a disk's fault."""
    words = [sys.executable, "-m", "server", "paint", str(requests(tmp_path / "in", 3)), "--json"]
    process = subprocess.Popen(
        [*words, "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env=environment(here.home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 1
    assert process.stderr is not None
    with process.stderr as said:
        assert said.read() == ""


def test_a_sheet_of_unreadable_pictures(tmp_path, here):
    out = tmp_path / "out"
    assert painted(requests(tmp_path / "in", 1), "--out", out) == 0
    (out / f"{FIRST}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    assert painted(tmp_path / "in", "--out", out) == 1
    with Image.open(out / SHEET) as sheet:
        assert sheet.size[0] > 160
