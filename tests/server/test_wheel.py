# SPDX-License-Identifier: MIT
"""The server's wheel: all that a machine without this repository needs, for every Python that a Blender brings."""

import shutil
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """Built of a copy of what git keeps, so that nothing of an earlier building is in it."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, files):
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "source" / name)
    build = ["wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(folder / "source")]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True, timeout=100)
    return ZipFile(next(folder.glob("*.whl")))


def test_it_has_the_server_the_method_and_the_model(wheel: ZipFile) -> None:
    names = set(wheel.namelist())
    weights = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sg_core/toybox/weights").rglob("*.safetensors")}
    assert weights and weights <= names
    assert {
        "server/cli/serve.py",
        "addon/protocol/answers.py",
        "addon/client/api.py",
        "addon/request/styles.json",
    } <= names
    assert [name for name in names if name.startswith(("tests", "examples", "docs"))] == []


def test_it_is_for_the_pythons_of_blender_and_asks_for_no_blender(wheel: ZipFile) -> None:
    stated = message_from_bytes(wheel.read(next(name for name in wheel.namelist() if name.endswith("/METADATA"))))
    assert stated["Requires-Python"] == "<3.15,>=3.11"
    needed = [line for line in stated.get_all("Requires-Dist", []) if "extra ==" not in line]
    of_the_server = [line for line in stated.get_all("Requires-Dist", []) if 'extra == "server"' in line]
    assert any(line.startswith("torch") for line in needed) and any(
        line.startswith("uvicorn") for line in of_the_server
    )
    assert not any(line.startswith("bpy") for line in (*needed, *of_the_server))
