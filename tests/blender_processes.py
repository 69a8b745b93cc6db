# SPDX-License-Identifier: MIT
"""For pytest, where tests import Blender's module: how a process ends, and what one tells another. No other imports."""

import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

STATUS = pytest.StashKey[int]()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """How it ended, for the end of the process."""
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End here where Blender's module was used: once in a while its libraries wait for ever when a process ends."""
    worker = hasattr(config, "workerinput")  # of pytest-xdist, which ends its processes itself
    if "bpy" in sys.modules and STATUS in config.stash and not worker:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[STATUS])


@pytest.fixture
def record_property(record_property: Callable[[str, Any], None]) -> Callable[[str, Any], None]:
    """pytest's own, for numpy's numbers too: a worker of pytest-xdist cannot send those to the process that reports."""

    def record(name: str, value: Any) -> None:
        record_property(name, value.tolist() if hasattr(value, "tolist") else value)

    return record
