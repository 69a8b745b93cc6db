# SPDX-License-Identifier: MIT
"""A folder of mixed files in a real window: each is said what it is, and one of them is painted with."""

import os
from pathlib import Path

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario
from tests.server.models.model_files import twenty


@pytest.mark.timeout(SECONDS + 30)
def test_a_folder_is_named_read_and_painted_from(tmp_path: Path) -> None:
    if "BLENDER" not in os.environ:
        pytest.skip("$BLENDER is not set: no real window")
    twenty(tmp_path / "mixed")
    report = run_scenario(os.environ["BLENDER"], "model_folders", tmp_path, flat_colour_server())
    assert report["ok"], report["trace"]
    good = [name for name, trouble in report["files"].items() if not trouble]
    assert good == ["mixed/dreamer", "old/dreamer", "paint.fp16", "toybox.safetensors"]
    assert all(trouble.endswith(".") for name, trouble in report["files"].items() if name not in good)
    assert report["kinds"] == ["folder"]
    assert report["painted with"] == [["paint.fp16", "done"]]
    assert report["models in the end"] == ["toybox"]
