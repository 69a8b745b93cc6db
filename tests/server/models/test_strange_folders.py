# SPDX-License-Identifier: MIT
"""Every trick that loading refuses is told by the list already, but for those that only the numbers show."""

import runpy
import shutil
from pathlib import Path

import pytest

from server.models.library import ModelLibrary
from tests.server.serving import ROOT
from tests.sg_core.models.test_strangers import REFUSED

NUMBERS = {"not a number", "unet is not a number", "another size"}


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build = runpy.run_path(str(ROOT / "tests" / "sg_core" / "conftest.py"))["build_folder"]
    return Path(build(tmp_path_factory.mktemp("models") / "tiny", "epsilon"))


@pytest.mark.parametrize("trick", REFUSED)
def test_the_list_tells_a_trick_and_opens_nothing(tiny_folder: Path, tmp_path: Path, trick: str) -> None:
    copy = Path(shutil.copytree(tiny_folder, tmp_path / "models" / "copy"))
    REFUSED[trick][0](copy)
    library = ModelLibrary([copy.parent], None, ())
    library.look()
    listed = [file for file in library.listing().files if Path(file.path) == copy]
    assert [bool(file.trouble) for file in listed] == [trick not in NUMBERS]
    assert all(file.trouble.endswith(".") for file in listed if file.trouble)
    assert not (copy / "ran").exists() and bool(library.offers) == (trick in NUMBERS)
