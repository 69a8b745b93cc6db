# SPDX-License-Identifier: MIT
"""The zip that users install, and the packer that makes it."""

import hashlib
import json
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from addon.__main__ import LIMIT, RELEASE, NoPacker, build, main, packer, publish

SOURCES = Path(__file__).parents[2] / "addon"


@pytest.fixture(scope="module")
def zipped(tmp_path_factory) -> Path:
    return main(["--out", str(tmp_path_factory.mktemp("dist"))])


def test_zip_holds_the_addon_and_nothing_else(zipped: Path) -> None:
    names = {name for name in zipfile.ZipFile(zipped).namelist() if not name.endswith("/")}
    room = Path(__file__).parents[2] / "addon"
    ours = {path.relative_to(room).as_posix() for kind in ("*.py", "*.json", "*.png") for path in room.rglob(kind)}
    assert names == (ours - {"__main__.py"}) | {"blender_manifest.toml", "GPL-3.0-or-later.txt", "MIT.txt"}
    assert zipped.stat().st_size < LIMIT


def test_manifest_says_what_is_touched_and_why(zipped: Path) -> None:
    manifest = tomllib.loads(zipfile.ZipFile(zipped).read("blender_manifest.toml").decode())
    assert manifest["id"] == "maquette"
    assert manifest["blender_version_min"] == "4.2.0"
    assert manifest["permissions"].keys() == {"network", "files"}
    assert "wheels" not in manifest


def test_the_manifest_keeps_the_rules_of_the_extension_platform(zipped: Path) -> None:
    """Those that Blender's validator does not check itself are in its guidelines."""
    manifest = tomllib.loads(zipfile.ZipFile(zipped).read("blender_manifest.toml").decode())
    sentences = [manifest["tagline"], *manifest["permissions"].values()]
    assert all(len(text) <= 64 and text[-1].isalnum() and text[0].isupper() for text in sentences)
    assert "SPDX:GPL-3.0-or-later" in manifest["license"]
    assert "blender" not in manifest["name"].casefold()
    assert "blender_version_max" not in manifest


def test_the_repository_offers_this_very_zip(zipped: Path) -> None:
    repository = zipped.parent / "repository"
    (offered,) = json.loads((repository / "index.json").read_text())["data"]
    copy = repository / offered["archive_url"]
    assert offered["archive_hash"] == f"sha256:{hashlib.sha256(zipped.read_bytes()).hexdigest()}"
    assert copy.read_bytes() == zipped.read_bytes() and offered["archive_size"] == zipped.stat().st_size
    assert offered["permissions"].keys() == {"network", "files"}
    assert zipped.name in (repository / "index.html").read_text()


def test_an_earlier_zip_is_offered_no_more(zipped: Path, tmp_path: Path) -> None:
    for name in ("maquette-0.0.9.zip", "someone-elses-1.0.0.zip"):
        (tmp_path / name).write_bytes(b"")
    publish(packer(None), zipped, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.zip")) == [zipped.name, "someone-elses-1.0.0.zip"]


def test_without_blender_there_is_a_sentence(monkeypatch, capsys) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NoPacker):
        packer(None)
    with pytest.raises(SystemExit):
        main(["--blender", ""])
    assert "pip install bpy" in capsys.readouterr().err


def test_a_given_blender_packs() -> None:
    assert packer("/somewhere/blender") == ["/somewhere/blender", "--command", "extension"]


def test_a_packer_that_refuses_is_heard(tmp_path: Path) -> None:
    refusing = [sys.executable, "-c", "raise SystemExit('tagline: must not end with punctuation')"]
    with pytest.raises(SystemExit, match="must not end with punctuation"):
        build(refusing, tmp_path, SOURCES / RELEASE)


def test_the_zip_knows_its_wheel(tmp_path: Path) -> None:
    wheel = tmp_path / "maquette-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    packed = main(["--out", str(tmp_path), "--server-wheel", str(wheel)])
    told = json.loads(zipfile.ZipFile(packed).read(RELEASE.as_posix()))
    assert told == json.loads((tmp_path / "release.json").read_text())
    assert (told["name"], told["version"], told["size"]) == (wheel.name, "0.1.0", 7)
    assert told["sha256"] == hashlib.sha256(b"a wheel").hexdigest()
    assert told["address"] == json.loads((SOURCES / RELEASE).read_text())["address"]


def test_the_zip_pins_what_the_server_was_tested_with(zipped: Path) -> None:
    """All but numpy, which the lock keeps as old as its bpy wants it: Blender's newer Pythons have no such one."""
    pinned = json.loads(zipfile.ZipFile(zipped).read(RELEASE.as_posix()))["constraints"]
    assert any(pin.startswith("torch==") for pin in pinned) and any(pin.startswith("pydantic==") for pin in pinned)
    assert [pin for pin in pinned if pin.startswith(("numpy", "bpy", "#"))] == []
