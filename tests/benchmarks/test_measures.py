# SPDX-License-Identifier: MIT
"""The figures, on values that can be worked out by hand."""

import numpy as np
import pytest
import torch

from benchmarks.placement.cases import Case, CaseTarget
from benchmarks.placement.figures import (
    Picture,
    TargetOutcome,
    affordable,
    best_strength,
    costs,
    gain,
    of_ceiling,
    rounded,
    summary,
)
from benchmarks.placement.measures import area_under, box_iou, clipped, features, frechet, look, saturation, strays
from benchmarks.placement.methods import best_peer
from benchmarks.placement.plan import PEER_AT_OUR_COST
from benchmarks.placement.tables import tables
from sg_core.judge import Detection
from sg_core.toybox.segmenter import load_judge


def test_boxes_overlap_by_their_extents():
    one, other = np.zeros((2, 8, 8), dtype=np.float32)
    one[0:4, 0:4], other[2:6, 0:4] = 1, 1
    assert box_iou(one, other) == pytest.approx(8 / 24)
    one[0, 0] = 0  # the box is still the same
    assert box_iou(one, other) == pytest.approx(8 / 24)
    assert box_iou(one, 0 * other) == 0.0
    assert box_iou(one[:, ::-1], other[:, ::-1]) == pytest.approx(8 / 24)


def test_area_under_accuracy_is_about_the_mean_overlap():
    assert area_under([0.0, 0.0]) == 0.0
    assert area_under([0.65]) == pytest.approx(0.65)
    assert area_under([0.65, 0.0]) == pytest.approx(0.325)


def test_frechet_distance_of_what_is_known():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 3)).astype(np.float32)
    assert frechet(rows, rows) == pytest.approx(0.0, abs=1e-5)
    assert frechet(rows, rows + np.array([3, 0, 4])) == pytest.approx(25.0, abs=1e-3)
    spread = frechet(rows, 2 * rows)  # tr(S) (1 + 4 - 2 * 2), and the means
    assert spread == pytest.approx(np.trace(np.cov(rows, rowvar=False)) + np.square(rows.mean(0)).sum(), rel=1e-4)


def test_colours_and_clipping():
    grey, red = torch.full((3, 4, 4), 0.5), torch.zeros(3, 4, 4)
    red[0] = 1
    assert saturation(grey) == 0.0 and clipped(grey) == 0.0
    assert saturation(red) == pytest.approx(1.0) and clipped(red) == 1.0


def test_strays_are_what_nobody_asked_for():
    nothing = Detection(torch.zeros(4, 4, dtype=torch.bool), 0.0, 0.0, None)
    there = Detection(torch.ones(4, 4, dtype=torch.bool), 1.0, 0.9, (0.5, 0.5))
    assert strays({"car": there, "bus": there, "bear": nothing}, {"car"}) == 1


def test_a_picture_is_looked_at_by_every_judge():
    judge = load_judge()
    mask = np.zeros((128, 128), dtype=np.float32)
    mask[:64] = 1
    case = Case("test/blocks/1/0", "a car", (CaseTarget("car", mask, mask, 0 * mask),))
    row = look(torch.full((3, 128, 128), 0.5), case, {"one": judge, "two": judge})
    assert row["scores"]["one"] == row["scores"]["two"] and len(row["scores"]["one"]) == 1
    assert set(row["scores"]["one"][0]) == {"iou", "box", "offset", "present"}
    assert len(row["features"]) == features(torch.zeros(1, 3, 32, 32), judge).shape[1]


def painted(method: str, overlaps: list[float], *, group="control", case=0, steps=30, kind="blocks", flops=None):
    """A picture of as many targets as overlaps, each with a ceiling of 0.8."""
    targets = tuple(TargetOutcome(value, value, 0.1, 1.0, 0.1 if value > 0.3 else 0.04, 0.8) for value in overlaps)
    name, count = f"test/{kind}/{len(overlaps)}/{case}", len(overlaps)
    seen = (0.1 * case, 0.2 * len(overlaps), overlaps[0])
    return Picture(method, group, name, kind, count, 0, steps, targets, 0, 0.5, 0.1, 1.0, flops, seen)


def run(case: int) -> list[Picture]:
    """What one case of each number of things looks like."""
    pictures = []
    for count in (1, 2, 3):
        common = {"case": case}
        pictures += [
            painted("none", [0.1] * count, flops=100, **common),
            painted("ours", [0.6 + 0.01 * case] * count, group="ours", flops=130, **common),
            painted("dear", [0.5] * count, group="peer", flops=200, **common),
            painted("cheap", [0.4] * count, group="peer", flops=100, **common),
            painted("strength 0.5", [0.7] * count, group="strength", **common),
            painted("ours", [0.55] * count, group="ours", steps=8, **common),
            painted("ours", [0.5] * count, group="ours", steps=4, **common),
            painted(best_peer(), [0.45 + 0.01 * case] * count, group="peer", steps=PEER_AT_OUR_COST, **common),
            painted("ours", [0.2] * count, group="ours", kind="small", **common),
        ]
    return pictures


def test_the_figures_of_a_run():
    pictures = [picture for case in range(3) for picture in run(case)]
    truth = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    figures = rounded(summary(pictures, truth))
    assert list(figures)[:15] == [
        *["iou", "ceiling", "box", "auc", "centroid_err", "present", "of_ceiling", "small", "strays"],
        *["steps8", "steps4", "best_peer", "gain_over_peer", "gain_low95", "frechet_ratio"],
    ]
    assert figures["iou"]["2"] == {"none": 0.1, "ours": 0.61, "dear": 0.5, "cheap": 0.4}
    assert figures["ceiling"] == 0.8 and figures["of_ceiling"]["3"] == pytest.approx(0.61 / 0.8, abs=1e-4)
    assert figures["small"] == 0.25 and figures["small_outright"] == 0.2
    assert (figures["steps30"], figures["steps8"], figures["steps4"]) == (0.61, 0.55, 0.5)
    assert figures["best_peer"] == "dear" and figures["best_peer_at_our_cost"] == "cheap"
    assert figures["gain_over_peer"] == pytest.approx(0.11, abs=1e-3)
    assert 0.09 < figures["gain_low95"] <= 0.11 <= figures["gain_high95"] < 0.13
    assert figures["default"] == 0.55 and figures["default_gain"] == pytest.approx(0.09, abs=1e-3)
    assert 0.07 < figures["default_gain_low95"] < 0.09 < figures["default_gain_high95"] < 0.11
    assert "default_gain" not in summary([one for one in pictures if one.steps != PEER_AT_OUR_COST], truth)
    assert figures["cost"] == {"none": 1.0, "ours": 1.3, "dear": 2.0, "cheap": 1.0}
    assert figures["best_strength_gain"] == pytest.approx(0.09, abs=1e-3)
    lines = list(tables(pictures, figures))
    assert any(line.startswith("dear") and " 2.00 " in line for line in lines)
    assert any(line.startswith("small: ours") for line in lines)


def test_gain_is_paired():
    """Where one method has more cases than the other, only those that both painted count."""
    ours = [painted("ours", [0.6], case=case) for case in range(3)]
    theirs = [painted("dear", [0.5], case=case) for case in (0, 2)]
    assert gain(ours, theirs)[0] == pytest.approx(0.1)


def test_no_cost_without_counting_and_no_gain_without_other_strengths():
    pictures = [painted("none", [0.1]), painted("ours", [0.5], group="ours")]
    assert costs(pictures) == {}
    assert np.isnan(best_strength(pictures))
    assert rounded({"x": float("nan"), "y": {"z": 0.123456}}) == {"x": None, "y": {"z": 0.1235}}
    assert of_ceiling(pictures[1].targets) == pytest.approx(0.625)
    assert affordable([*pictures, painted("dear", [0.4], group="peer")], {"ours": 1.0, "dear": 2.0}) == ""
