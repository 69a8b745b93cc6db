# SPDX-License-Identifier: MIT
"""A sprint on a lent GPU, rehearsed on the CPU."""

import tarfile

from sg_core.toybox.recipe import CRISP, recipe_for
from sg_core.toybox.training import sprint
from sg_core.toybox.training.milestone import read_record
from tests.sg_core.toybox.training.tiny_recipe import TINY


def test_a_sprint_stops_in_time_and_leaves_few_small_files_to_go_on_from(tmp_path, tiny):
    flags = ["--recipe", "tiny", "--minutes", "0.15", "--batch", "8", "--device", "cpu", "--out"]
    assert sprint.main([*flags, str(tmp_path / "first")]) == 0
    files = list((tmp_path / "first").iterdir())
    assert len(files) <= 8
    assert all(file.stat().st_size < 16 * 2**20 for file in files)
    log = (tmp_path / "first" / "log").read_text()
    assert "steps/s" in log
    assert float(log.splitlines()[-1].split()[0]) < 300
    pieces = sorted((tmp_path / "first").glob("model.tar.*"))
    (tmp_path / "model.tar").write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    with tarfile.open(tmp_path / "model.tar") as tar:
        tar.extractall(tmp_path, filter="data")
    steps = read_record(tmp_path / "model", TINY)["denoiser"]["steps"]
    assert sprint.main([*flags, str(tmp_path / "again"), "--model", str(tmp_path / "model")]) == 0
    assert len(list((tmp_path / "again").glob("model.tar.*"))) == len(pieces)
    assert steps >= 2


def test_what_is_packed_comes_back_whole_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(sprint, "PIECE", 4096)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(bytes(range(256)) * 64)
    sprint.pack(tmp_path / "model", tmp_path)
    pieces = [tmp_path / f"model.tar.{number}" for number in range(len(list(tmp_path.glob("model.tar.*"))))]
    assert len(pieces) > 3
    (tmp_path / "whole.tar").write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    with tarfile.open(tmp_path / "whole.tar") as tar:
        content = tar.extractfile("model/weights")
        assert content is not None
        assert content.read() == (tmp_path / "model" / "weights").read_bytes()


def test_a_gpu_gets_larger_batches_of_the_same_recipe():
    assert recipe_for("crisp", "cpu") == CRISP
    wide = recipe_for("crisp", "cuda")
    assert {name: lesson.batch for name, lesson in wide.lessons.items()} == {
        "denoiser": 384,
        "decoder": 64,
        "judge": 64,
        "second-judge": 64,
    }
    assert wide.name == CRISP.name and wide.lessons["decoder"].rate == CRISP.lessons["decoder"].rate
