# SPDX-License-Identifier: MIT
"""The documentation as a site: every page has its place, and every public name of the method is on it."""

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

import sg_core
from tests.architecture.reading import ROOT

CONFIGURATION = (ROOT / "mkdocs.yml").read_text("utf-8")


def test_every_page_has_its_place() -> None:
    named = set(re.findall(r": ([\w/-]+\.md)$", CONFIGURATION, re.MULTILINE))
    assert named == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}


@pytest.mark.timeout(400)
def test_the_site_is_built_and_has_every_public_name(tmp_path) -> None:
    if find_spec("mkdocs") is None:
        pytest.skip("MkDocs is not installed: pip install 'maquette[docs]', as make does")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    page = (tmp_path / "site" / "api" / "sg_core.html").read_text("utf-8")
    absent = [name for name in sg_core.__all__ if not re.search(rf'id="sg_core\.(\w+\.)*{name}"', page)]
    assert absent == []
    linked = re.findall(r'href="((?:\.\./)*files/[^"#]+)"', (tmp_path / "site" / "batches.html").read_text("utf-8"))
    assert linked and all((tmp_path / "site" / link).is_file() for link in linked)
