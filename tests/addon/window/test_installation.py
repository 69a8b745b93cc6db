# SPDX-License-Identifier: MIT
"""The server installed by a button in a real window, from nothing to a first picture.

$SERVER_WHEEL is what ``make dist`` built, $WHEELS a folder of every package that it needs (without it, the network is
asked), $SERVER_PYTHON a Python to install for, where Blender's own will not do.
"""

import os
from pathlib import Path

import pytest

from tests.addon.window.run_blender import SECONDS, run_scenario

PAUSE = 0.05  # seconds that the add-on may hold the main thread

pytestmark = pytest.mark.long  # some minutes, and more than a gigabyte


@pytest.fixture(scope="module")
def report(blender: str, tmp_path_factory) -> dict:
    """What happened in the window."""
    if not os.environ.get("SERVER_WHEEL"):
        pytest.skip("$SERVER_WHEEL is not set")
    wheel = Path(os.environ["SERVER_WHEEL"])
    online = not os.environ.get("WHEELS")
    return run_scenario(blender, "installation", tmp_path_factory.mktemp("install"), "", wheel, online)


@pytest.mark.timeout(SECONDS + 30)
def test_the_scenario_runs_to_its_end(report: dict, record_property) -> None:
    record_property("seconds", (report.get("installed after"), report.get("painted after")))
    assert report["ok"], report["trace"]


def test_nothing_is_known_of_a_server_at_first(report: dict) -> None:
    assert not report["known at first"]


def test_what_is_missing_is_said(report: dict) -> None:
    assert report["trouble"] in ("package-missing", "pip-missing"), "Blender's own Python may have no pip"
    assert "offline" not in report or report["offline"] == "access-not-allowed"


def test_it_can_be_stopped_and_gone_on_with(report: dict) -> None:
    assert report["processes while installing"] > 0 and report["processes when stopped"] == 0
    assert report["stage when stopped"] == "interrupted"
    assert report["stage"] == "installed", report["notice"]


def test_it_ends_with_a_server_that_paints(report: dict) -> None:
    assert report["device"]
    assert report["painted after"] > report["installed after"]


def test_it_can_be_removed(report: dict) -> None:
    assert report["removed"]


def test_installing_never_holds_blender(report: dict) -> None:
    """What it draws and takes in is held to that elsewhere."""
    assert report["longest"]["tick"] < PAUSE, report["longest"]
