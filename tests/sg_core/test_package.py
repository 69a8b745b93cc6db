# SPDX-License-Identifier: MIT
"""The method as a package of its own says the same as the project, and holds the data that it reads."""

import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "sg_core"]


def read(path: str) -> dict:
    return tomllib.loads((ROOT / path).read_text("utf-8"))


@pytest.mark.parametrize("field", ["version", "dependencies", "requires-python"])
def test_both_projects_say_the_same(field: str) -> None:
    assert read("sg_core/pyproject.toml")["project"][field] == read("pyproject.toml")["project"][field]


def test_both_projects_pack_the_same_data() -> None:
    own, whole = (
        read(path)["tool"]["setuptools"]["package-data"] for path in ("sg_core/pyproject.toml", "pyproject.toml")
    )
    assert own == {name: files for name, files in whole.items() if name.startswith("sg_core")}


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    """Built from a copy, as pip builds it, with what this Python has."""
    listed = subprocess.run(TRACKED, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path / "dist")]
    command = [sys.executable, "-m", "pip", "wheel", *options, str(tmp_path / "sg_core")]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == set(listed) - {"sg_core/pyproject.toml", "sg_core/LICENSE"}
