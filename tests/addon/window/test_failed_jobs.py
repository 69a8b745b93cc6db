# SPDX-License-Identifier: MIT
"""Pictures that fail, in a real window: two at once are both shown, and only an answer takes a sentence away."""

from pathlib import Path

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario


@pytest.mark.timeout(SECONDS + 30)
def test_every_failed_picture_says_why_until_it_is_answered(blender: str, tmp_path: Path) -> None:
    report = run_scenario(blender, "failed_jobs", tmp_path, flat_colour_server())
    assert report["ok"], report["trace"]
    assert report["failed"] == ["painting-failed", "out-of-memory"]
    assert report["failed after another"] == report["failed"]
    assert report["failed after an answer"] == ["painting-failed"]
    assert report["failed in the end"] == []
