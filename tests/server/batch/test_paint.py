# SPDX-License-Identifier: MIT
"""``maquette paint``, as it is typed: requests to pictures, over loopback, without Blender."""

import json
import shutil

import pytest
from PIL import Image

from server.batch.manifest import read_rows
from server.cli.main import main
from tests.server.batch.batches import jobs, pictures, requests


@pytest.fixture
def here(served, monkeypatch):
    """The running server is this person's."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    return served


def test_a_folder_is_painted_once(tmp_path, here, capsys):
    folder, out = requests(tmp_path / "in", 3, prompt="a cat of one night"), tmp_path / "out"
    before = len(jobs(here))
    assert main(["paint", str(folder), "--seeds", "1-2", "--out", str(out), "--masks"]) == 0
    said = capsys.readouterr()
    assert f"Saved: '{out}/cats/Camera/seed0001/0003.png'" in said.out.splitlines()
    assert "6 of 6: 6 painted, 0 there, 0 failed" in said.err
    row = read_rows(out)["cats/Camera/seed0002/0001"]
    assert row.regions[0].overlap == pytest.approx(1.0)  # the engine claims the very mask
    with Image.open(out / "cats/Camera/seed0002/0001.png") as picture:
        assert (picture.size, picture.getpixel((0, 0))) == ((64, 36), (2, 0, 1))
    with Image.open(out / "cats/Camera/seed0002/0001.objects.png") as objects:
        assert (objects.size, objects.getextrema()) == ((64, 36), (0, 1))
    first = pictures(out)
    assert main(["paint", str(folder), "--seeds", "1-2", "--out", str(out), "--masks"]) == 0
    assert "6 of 6: 0 painted, 6 there, 0 failed" in capsys.readouterr().err
    assert pictures(out) == first
    # three frames are of one request here: content is the key, so a seed is painted once
    assert len(jobs(here)) == before + 2


@pytest.mark.parametrize("words", [["--seeds", "0-2"], ["--seeds", "7,9"], ["--best", "2"], []])
def test_pictures_beside_their_requests_are_there_when_the_command_is_given_again(tmp_path, here, capsys, words):
    folder, flat = requests(tmp_path / "in", 2), tmp_path / "in" / "cat.blockout.json"
    flat.write_bytes(next(folder.rglob("*.blockout.json")).read_bytes())
    command = ["paint", str(folder), *words, "--out", str(folder)]
    assert main(command) == 0
    assert main(command) == 0, "again"
    first, said = pictures(folder), capsys.readouterr().err
    next(folder.rglob("*.png")).unlink()
    assert main(command) == 0
    assert "0 failed" in said and pictures(folder) == first


def test_what_was_painted_into_a_folder_of_its_requests_is_none_of_them(tmp_path, here, capsys, monkeypatch):
    folder = requests(tmp_path / "in", 2)
    monkeypatch.chdir(folder)
    for out in ("night", str(folder / "day")):
        assert main(["paint", ".", "--seeds", "1-2", "--out", out]) == 0
        capsys.readouterr()
        assert main(["paint", str(folder), "--seeds", "1-2", "--out", out]) == 0
        assert "4 there, 0 failed" in capsys.readouterr().err
        shutil.rmtree(folder / out)


def test_the_news_as_lines_of_json(tmp_path, here, capsys):
    folder = requests(tmp_path / "in", 1)
    assert main(["paint", str(folder), "--out", str(tmp_path / "out"), "--json"]) == 0
    news = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [item["event"] for item in news if item["event"] != "painting"] == ["asked", "saved", "page", "page"]
    saved = next(item for item in news if item["event"] == "saved")
    assert (saved["name"], saved["overlap"]) == ("cats/Camera/seed0007/0001", pytest.approx(1.0))


def test_nothing_is_overwritten_in_silence(tmp_path, here, capsys):
    folder, out = requests(tmp_path / "in", 1), tmp_path / "out"
    words = ["paint", str(folder), "--out", str(out)]
    picture = out / "cats/Camera/seed0007/0001.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"somebody's")
    assert main(words) == 1
    assert "is there already, and not of this batch: name another folder with --out" in capsys.readouterr().err
    assert picture.read_bytes() == b"somebody's"
    assert main([*words, "--overwrite"]) == 0
    painted = picture.read_bytes()
    assert main([*words, "--set", "cat.strength=0.5"]) == 1
    assert "is of another request" in capsys.readouterr().err
    picture.write_bytes(painted + b"retouched")
    assert main(words) == 1
    assert "has been changed since it was painted" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0
    assert picture.read_bytes() == painted
    picture.unlink()
    assert main(words) == 0
    assert picture.read_bytes() == painted


def test_one_bad_request_hinders_no_other(tmp_path, here, capsys):
    folder = requests(tmp_path / "in", 2)
    bad = requests(tmp_path / "bad", 1, prompt="a cat to raise")
    assert main(["paint", str(bad), str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "cats/Camera/seed0007/0001: " in said and "as asked" in said
    assert (tmp_path / "out/cats/Camera/seed0007/0002.png").exists()
    assert folder.exists()


def test_a_picture_is_a_request(tmp_path, here):
    assert main(["paint", str(requests(tmp_path / "in", 1)), "--out", str(tmp_path / "one")]) == 0
    picture = tmp_path / "one/cats/Camera/seed0007/0001.png"
    assert main(["paint", str(picture), "--out", str(tmp_path / "two")]) == 0
    assert (tmp_path / "two/0001.png").read_bytes() == picture.read_bytes()


def test_no_server_in_time_is_exit_3(tmp_path, capsys):
    gone = tmp_path / "gone.json"
    assert main(["paint", str(requests(tmp_path / "in", 1)), "--server", str(gone), "--out", str(tmp_path / "o")]) == 3
    assert "No server is running" in capsys.readouterr().err


def test_the_best_of_some_seeds_is_kept(tmp_path, here, capsys):
    out = tmp_path / "out"
    assert main(["paint", str(requests(tmp_path / "in", 2)), "--best", "3", "--out", str(out)]) == 0
    assert f"Saved: '{out}/cats/Camera/best/0002.png'" in capsys.readouterr().out
    least = (out / "cats/Camera/seed0007/0002.png").read_bytes()  # all obey alike here, so the first
    assert (out / "cats/Camera/best/0002.png").read_bytes() == least
    (out / "cats/Camera/best/0002.png").write_bytes(b"somebody's")
    assert main(["paint", str(tmp_path / "in"), "--best", "3", "--out", str(out)]) == 1
    assert "none of this batch's pictures of that view" in capsys.readouterr().err
    assert (out / "cats/Camera/best/0002.png").read_bytes() == b"somebody's"
