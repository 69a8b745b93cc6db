# SPDX-License-Identifier: MIT
"""The method as a package of its own says the same as the project, and holds the data that it reads."""

import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PIP = [sys.executable, "-m", "pip"]
PAINTING = """
import importlib.util, sg_core, torch
castle = sg_core.shape("castle", torch.eye(16))
picture = sg_core.generate(sg_core.load("toybox"), "a castle on a meadow", castle, width=64, height=64, steps=3)
shape = str(tuple(picture.shape)).replace(" ", "")
print(sg_core.__file__, importlib.util.find_spec("addon"), shape, picture.min().item(), picture.max().item())
"""
TRACKED = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "sg_core", "weight_files"]


def listed() -> list[str]:
    """The package's files that git keeps or would keep."""
    return subprocess.run(TRACKED, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy, as pip builds it, with what this Python has."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in listed():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "dist")]
    subprocess.run([*PIP, "wheel", *options, str(folder / "sg_core")], check=True, capture_output=True)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory) -> Path:
    """A Python with the wheel alone. What it depends on is borrowed from this one: the packages, not its .pth files,
    so that no editable project comes along."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    options = ["--quiet", "--no-deps", "--no-index"]
    subprocess.run([*PIP, "--python", str(python), "install", *options, str(wheel)], check=True, capture_output=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    lenders = [path for path in sys.path if Path(path).name == "site-packages"]
    (packages / "borrowed.pth").write_text("\n".join(lenders))
    return python


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    names = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == set(listed()) - {"sg_core/pyproject.toml", "sg_core/LICENSE"}


def test_the_wheel_paints_where_nothing_else_of_ours_is(installed: Path, tmp_path: Path) -> None:
    command = [installed, "-I", "-W", "error", "-c", PAINTING]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    file, addon, size, least, most = done.stdout.split()
    assert Path(file).is_relative_to(installed.parents[1]) and addon == "None"
    assert size == "(1,3,64,64)" and 0.0 <= float(least) < float(most) <= 1.0
