# SPDX-License-Identifier: MIT
"""The Python programs among the examples, run as a reader would, and what they claim."""

import re
import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.stem for path in EXAMPLES.glob("*.py") if not path.stem.startswith("make"))  # what we ship


def printed(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What a program says when it is run without arguments in an empty folder."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [f"{name}.py"])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    return capsys.readouterr().out


def test_every_program_has_a_test() -> None:
    assert {f"test_{name}" for name in PROGRAMS} <= set(globals())


def test_guided_picture(tmp_path: Path, monkeypatch, capsys) -> None:
    assert "guided_picture.png" in printed("guided_picture", tmp_path, monkeypatch, capsys)
    with Image.open(tmp_path / "guided_picture.png") as sheet:
        assert sheet.size == (3 * 256, 256)


def test_own_term(tmp_path: Path, monkeypatch, capsys) -> None:
    read, guided = map(
        float, re.findall(r": (0\.\d+) of the height", printed("own_term", tmp_path, monkeypatch, capsys))
    )
    assert guided < 0.1 < read


def test_measured_picture(tmp_path: Path, monkeypatch, capsys) -> None:
    lines = printed("measured_picture", tmp_path, monkeypatch, capsys).splitlines()
    offsets = [float(number[1]) if (number := re.search(r"is (\d\.\d+) off", line)) else 1.0 for line in lines]
    assert len(lines) == 4
    assert sum(offsets[2:]) < sum(offsets[:2])


def test_batch_of_views(tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("bpy", reason="bpy is not installed")
    lines = printed("batch_of_views", tmp_path, monkeypatch, capsys).splitlines()
    names = [f"meadow/Camera/seed000{seed}/000{frame}" for frame in (1, 2) for seed in (0, 1)]
    assert sorted(line.partition(":")[0] for line in lines) == sorted(names)
    assert (tmp_path / "out" / "views" / "index.html").is_file()
