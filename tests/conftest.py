# SPDX-License-Identifier: MIT
"""What every test may rely on: no network, no shared state with the person's own Maquette, repeatable examples."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.server.serving import Served

# Read by torch and the hub client when they are first imported, which is after this file. On networks as small as the
# tests' a second thread mostly waits for the first, and burns ten times the processor's time where others work too.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"

pytest_plugins = ("tests.blender_processes",)

settings.register_profile("maquette", deadline=None, derandomize=True)
settings.load_profile("maquette")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A connection file, store and shelf of the test's own: a server that the person runs is never touched."""
    home = tmp_path / "maquette-home"
    monkeypatch.setenv("MAQUETTE_HOME", str(home))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # workers find the engines of the tests there
    return home


@pytest.fixture(scope="session")
def blender() -> str:
    """$BLENDER, the Blender whose window a test works in; without one, unset or empty, the test is skipped."""
    binary = os.environ.get("BLENDER")
    if not binary:
        pytest.skip("$BLENDER is not set: no real window")
    return binary


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Served"]:
    """One server for the tests of a file."""
    from tests.server.serving import serving

    home: Path = tmp_path_factory.mktemp("served") / "home"
    with serving(home) as running:
        yield running
