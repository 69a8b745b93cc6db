# SPDX-License-Identifier: MIT
"""``maquette join``: parts become one folder, and nothing is overwritten in silence."""

import pytest

from server.batch.manifest import read_rows
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


def test_a_folder_that_is_no_batch_is_named(tmp_path, capsys) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["join", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]) == 1
    assert "There is no manifest with pictures in" in capsys.readouterr().err
