# SPDX-License-Identifier: MIT
"""The masks bench, in little."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.masks import compare, main, middle, overlaps, quiet, scenes
from benchmarks.stress import sphere

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_every_scene_is_masked_as_cycles_renders_it(record_property):
    rows = [row for title, scene in scenes(EXAMPLES) for row in overlaps(title, scene)]
    record_property("iou_min", min(row.iou for row in rows))
    record_property("offset_max", max(row.offset for row in rows))
    assert {row.name.partition(":")[0] for row in rows} == {"desert", "meadow", "sea", "stress"}
    hard = {"leaf", "text", "ring", "drops", "mirrored wedge", "crossing box", "near beam", "slat 0"}
    assert hard <= {row.name.removeprefix("stress: ") for row in rows}
    assert [row for row in rows if row.iou < 0.98 or row.offset > 0.2] == []


def test_the_command_prints_one_line_of_figures(tmp_path, capfd, record_property):
    words = ["--json", "--runs", "1", "--examples", str(tmp_path), "--sheet", str(tmp_path / "kinds.png")]
    assert main(words) == 0  # the stress scene, and the balls
    figures = json.loads(capfd.readouterr().out)
    record_property("figures", figures)
    assert list(figures) == ["iou_min", "centroid_err_px_max", "speedup_vs_cycles_1spp", "slope", "kinds"]
    with Image.open(tmp_path / "kinds.png") as sheet:
        assert sheet.width > 7 * 128 and sheet.height > 3 * 128
    assert figures["iou_min"] >= 0.98
    assert figures["centroid_err_px_max"] <= 0.2
    assert figures["speedup_vs_cycles_1spp"] > 0.0  # what it is on a quiet machine, the bench says
    assert figures["slope"] > 0.0
    assert all(kind["exact"] >= 0.98 for kind in figures["kinds"].values())
    assert all(kind["view"] >= 0.98 or kind["words"] for kind in figures["kinds"].values())


def test_things_apart_are_told_apart():
    here, there = np.zeros((2, 1, 8, 8), dtype=np.float32)
    here[0, 2:6, 2:6] = 1.0
    there[0, 2:6, 3:7] = 1.0
    (row,) = compare("one", here, there, ["thing"])
    assert row.iou == pytest.approx(12 / 20) and row.offset == pytest.approx(1.0)
    assert middle(here[0]).tolist() == [4.0, 4.0]
    assert list(compare("one", here, 0.0 * there, ["thing"])) == []


def test_balls_have_the_triangles_they_say():
    mesh = sphere(50, 1.0).objects["ball"].data
    mesh.calc_loop_triangles()
    assert abs(len(mesh.loop_triangles) - 10_000) <= 200  # quads at the poles are triangles


def test_words_past_python_are_silenced(capfd):
    with quiet():
        os.write(1, b"Fra:1")
    os.write(1, b"{}")
    assert capfd.readouterr().out == "{}"
