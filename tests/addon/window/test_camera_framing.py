# SPDX-License-Identifier: MIT
"""Camera from View in a real window: the new camera's frame just holds what the view shows."""

import pytest

from tests.addon.window.run_blender import SECONDS, flat_colour_server, run_scenario


@pytest.mark.timeout(SECONDS + 30)
def test_a_new_camera_frames_what_the_view_shows(blender: str, tmp_path, record_property) -> None:
    report = run_scenario(blender, "camera_framing", tmp_path, flat_colour_server())
    assert report["ok"], report["trace"]
    record_property("framed", report["framed"])
    assert len(report["framed"]) == 6
    for view, framed in report["framed"].items():
        assert min(framed["filled"]) == pytest.approx(1.0, abs=0.01), view
        assert framed["degrees"] < 0.01, view
