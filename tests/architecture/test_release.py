# SPDX-License-Identifier: MIT
"""A release says one version in every file that says one, and the changelog says what is in it."""

import re
import tomllib
from pathlib import Path

from tests.architecture.reading import ROOT

FIRST_RELEASE = re.compile(r"^## (\d+\.\d+\.\d+)\b", re.MULTILINE)
LEAST = re.compile(r"(\w+)>=(\d+)\.(\d+)")
CITED = re.compile(r"^version: *\"?([^\"\n]+)\"?$", re.MULTILINE)


def versions(root: Path) -> dict[str, str]:
    """Each file under ``root`` that states the version -> what it states; of the changelog the newest release."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    manifest = tomllib.loads((root / "blender_manifest.toml").read_text("utf-8"))
    changes = FIRST_RELEASE.search((root / "CHANGELOG.md").read_text("utf-8"))
    citation = CITED.search((root / "CITATION.cff").read_text("utf-8"))
    return {
        "pyproject.toml": project["project"]["version"],
        "blender_manifest.toml": manifest["version"],
        "CHANGELOG.md": changes[1] if changes else "",
        "CITATION.cff": citation[1] if citation else "",
    }


def test_versions_are_equal() -> None:
    stated = versions(ROOT)
    assert len(set(stated.values())) == 1, stated


def test_law_catches_unequal_versions(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    (tmp_path / "blender_manifest.toml").write_text('version = "0.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-01-01)\n\n## 0.1.0\n")
    (tmp_path / "CITATION.cff").write_text('cff-version: 1.2.0\nversion: "0.2.0"\n')
    stated = versions(tmp_path)
    assert stated.pop("blender_manifest.toml") == "0.1.0"
    assert set(stated.values()) == {"0.2.0"}


def test_both_wheels_ask_for_libraries_that_read_a_stranger_s_folder_safely() -> None:
    """In earlier ones a folder could have code, kernels or pickles run."""
    files = (ROOT / "pyproject.toml", ROOT / "sg_core" / "pyproject.toml")
    needed = [tomllib.loads(file.read_text("utf-8"))["project"]["dependencies"] for file in files]
    assert needed[0] == needed[1]
    least = {match[1]: (int(match[2]), int(match[3])) for match in map(LEAST.match, needed[0]) if match}
    assert least["torch"] >= (2, 10) and least["diffusers"] >= (0, 42)


def test_the_licence_says_where_each_holds() -> None:
    """Paths that it names are there, and every file in them says the licence that it is said to be under."""
    table = re.findall(r"^  (\w[\w/.]*/) +([\w.-]+) ", (ROOT / "LICENSE").read_text("utf-8"), re.MULTILINE)
    assert [path for path, _ in table] == ["addon/", "addon/protocol/"]
    for path, licence in table:
        first = {file: file.read_text("utf-8").partition("\n")[0] for file in (ROOT / path).glob("*.py")}
        assert first and all(line == f"# SPDX-License-Identifier: {licence}" for line in first.values()), path
