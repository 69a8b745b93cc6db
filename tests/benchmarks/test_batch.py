# SPDX-License-Identifier: MIT
"""``maquette bench batch``, short."""

import json
import sys

import pytest

from server.cli.main import main


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")
def test_a_short_run(capsys):
    pytest.importorskip("bpy", reason="bpy is not installed")
    assert main(["bench", "batch", "--json", "--frames", "2", "--kills", "1"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["lost"], figures["repeated"], figures["blenders_per_scene"]) == (0, 0, 1)
    assert figures["kill_rounds"] == 1
    assert figures["overhead_ms_per_picture"] > 0
    assert figures["ray_speedup_2"] is None or figures["ray_speedup_2"] > 1.5  # without Ray there is no figure
