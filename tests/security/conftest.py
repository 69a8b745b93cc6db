# SPDX-License-Identifier: MIT
"""What the security tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import HERE, Served, serving


@pytest.fixture(autouse=True)
def fake_engine_for_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes that tests start find the fake engine."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for the tests of a file."""
    home: Path = tmp_path_factory.mktemp("served") / "home"
    with serving(home) as running:
        yield running
