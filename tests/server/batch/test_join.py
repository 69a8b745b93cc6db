# SPDX-License-Identifier: MIT
"""``maquette join``: parts become one folder, and nothing is overwritten in silence."""

from dataclasses import replace
from hashlib import sha256

import pytest

from server.batch.manifest import append, read_rows
from server.cli.main import main
from tests.server.batch.batches import pictures, requests


@pytest.fixture
def parts(tmp_path, served, monkeypatch):
    """Two folders that two machines have filled, of two seeds."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    folder = requests(tmp_path / "in", 1)
    made = []
    for seed in (1, 2):
        made.append(tmp_path / f"part{seed}")
        assert main(["paint", str(folder), "--seeds", str(seed), "--masks", "--out", str(made[-1])]) == 0
    return made


def test_parts_become_one_folder_once(tmp_path, parts, capsys) -> None:
    out = tmp_path / "out"
    words = ["join", *map(str, parts), "--out", str(out)]
    assert main(words) == 0
    assert pictures(out) == pictures(parts[0]) | pictures(parts[1])
    assert set(read_rows(out)) == {f"cats/Camera/seed000{seed}/0001" for seed in (1, 2)}
    assert (out / "index.html").is_file() and (out / "sheet.png").is_file()
    capsys.readouterr()
    assert main(words) == 0
    assert "2 of 2: 0 painted, 2 there, 0 failed" in capsys.readouterr().err
    assert len((out / "manifest.jsonl").read_text().splitlines()) == 2


def test_another_picture_of_the_name_stays(tmp_path, parts, capsys) -> None:
    out = tmp_path / "out"
    picture = out / "cats/Camera/seed0001/0001.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"somebody's")
    words = ["join", *map(str, parts), "--out", str(out)]
    assert main(words) == 1
    assert "is there already, and another picture" in capsys.readouterr().err
    assert picture.read_bytes() == b"somebody's" and len(read_rows(out)) == 1
    assert main([*words, "--overwrite"]) == 0
    assert len(read_rows(out)) == 2


def test_a_manifest_of_elsewhere_writes_nowhere_else(tmp_path, parts) -> None:
    """What its rows name, though it is there, is not taken out of the folder, nor put out of the other."""
    (tmp_path / "victim.png").write_bytes(digest_bytes := b"a file")
    row = next(iter(read_rows(parts[0]).values()))
    append(parts[0], replace(row, name="../victim", sha256=sha256(digest_bytes).hexdigest()))
    assert main(["join", *map(str, parts), "--out", str(tmp_path / "deep" / "out")]) == 0
    assert not (tmp_path / "deep" / "victim.png").exists()
    assert len(read_rows(tmp_path / "deep" / "out")) == 2


@pytest.mark.parametrize("joined", [True, False])
def test_what_pictures_follow_is_kept_for_each(tmp_path, served, monkeypatch, joined) -> None:
    """Two looks in one folder, of two machines or of two batches: both are there, for their requests to be painted."""
    monkeypatch.setenv("MAQUETTE_HOME", str(served.home))
    looks = requests(tmp_path / "looks", 1, prompt="a cat to follow")
    assert main(["paint", str(looks), "--seeds", "20-21", "--out", str(tmp_path / "keys")]) == 0
    parts = []
    for frame, seed in ((1, 20), (2, 21)):
        folder = requests(tmp_path / f"in{frame}", 2)
        (folder / f"cats/Camera/seed0007/000{3 - frame}.blockout.json").unlink()
        look = tmp_path / f"keys/cats/Camera/seed00{seed}/0001.png"
        parts.append(tmp_path / (f"part{frame}" if joined else "out"))
        assert main(["paint", str(folder), "--keep-look", str(look), "--out", str(parts[-1])]) == 0
    if joined:
        assert main(["join", *map(str, parts), "--out", str(tmp_path / "out")]) == 0
    assert len(read_rows(tmp_path / "out")) == 2
    assert main(["paint", str(tmp_path / "out"), "--out", str(tmp_path / "again")]) == 0
    assert len(read_rows(tmp_path / "again")) == 2


def test_a_folder_that_is_no_batch_is_named(tmp_path, capsys) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["join", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]) == 1
    assert "There is no manifest with pictures in" in capsys.readouterr().err
