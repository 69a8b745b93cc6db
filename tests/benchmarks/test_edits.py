# SPDX-License-Identifier: MIT
"""Edits are measured as they are described: on pictures drawn by hand, by a Judge that sees colours."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from benchmarks.edits import changes
from benchmarks.edits.drawing import APART, SHIFT, EditCase, draw_cases
from benchmarks.edits.orbit import frame_of, jumps
from benchmarks.edits.results import intervals, leading, median, of_move, of_orbit, ratio
from benchmarks.edits.run import main

CASE = next(iter(draw_cases(1)))


@dataclass(frozen=True)
class ColourJudge:
    """Red is the subject, blue the other one; anything else is background."""

    nouns: Sequence[str] = (CASE.subject, CASE.other)

    def probabilities(self, rgb: Tensor) -> Tensor:
        """Certain of each pixel."""
        red, blue = (rgb[:, 0] > 0.5) & (rgb[:, 2] < 0.5), (rgb[:, 2] > 0.5) & (rgb[:, 0] < 0.5)
        return torch.stack([~(red | blue), red, blue], 1).float()


def drawn(case: EditCase, at: Tensor) -> Tensor:
    """The subject red and the other one blue, on grey."""
    picture = torch.full((3, *at.shape), 0.5)
    for mask, colour in ((case.beside.mask(), (0.0, 0.0, 1.0)), (at, (1.0, 0.0, 0.0))):
        picture = torch.where(mask > 0.5, torch.tensor(colour).view(3, 1, 1), picture)
    return picture


BEFORE = drawn(CASE, CASE.old.mask())


def test_cases_are_the_same_each_time_and_blocks_have_room() -> None:
    cases = list(draw_cases(12))
    assert cases == list(draw_cases(12))
    for case in cases:
        away = ((case.new.x - case.old.x) ** 2 + (case.new.y - case.old.y) ** 2) ** 0.5
        beside = ((case.new.x - case.beside.x) ** 2 + (case.new.y - case.beside.y) ** 2) ** 0.5
        assert SHIFT[0] <= away <= SHIFT[1] and beside >= APART
        assert len({case.subject, case.other, case.third}) == 3 and case.looks[0] != case.looks[1]


def test_an_edit_that_is_as_asked_has_no_fault() -> None:
    after = drawn(CASE, CASE.new.mask())
    placed = changes.placement(ColourJudge(), CASE, BEFORE, after)
    assert placed["iou"] > 0.99 and placed["ghost"] == 0.0 and placed["drift"] < 1e-6
    apart = changes.differences(ColourJudge(), CASE, BEFORE, after, CASE.new)
    assert apart["outside"] == apart["other"] == 0.0 and apart["colour"] < 1e-6 and apart["patches"] < 0.05


def test_what_was_left_behind_or_changed_is_seen() -> None:
    both = torch.maximum(CASE.old.mask(), CASE.new.mask())
    assert changes.placement(ColourJudge(), CASE, BEFORE, drawn(CASE, both))["ghost"] == 1.0
    shifted = drawn(replace(CASE, beside=CASE.beside.at(CASE.beside.x + 0.05, CASE.beside.y)), CASE.new.mask())
    assert changes.placement(ColourJudge(), CASE, BEFORE, shifted)["drift"] == pytest.approx(0.05 / 2**0.5, abs=0.006)
    assert changes.differences(ColourJudge(), CASE, BEFORE, shifted, CASE.new)["outside"] > 0
    orange = drawn(CASE, CASE.new.mask())
    orange[1][CASE.new.mask() > 0.5] = 0.4
    apart = changes.differences(ColourJudge(), CASE, BEFORE, orange, CASE.new)
    assert apart["colour"] == pytest.approx(0.4, abs=0.02) and apart["patches"] > 0.1


def test_a_block_of_twice_the_area_is_one_bit_larger() -> None:
    after = drawn(CASE, CASE.old.grown(2.0).mask())
    assert changes.log_size(ColourJudge(), CASE.subject, BEFORE, after) == pytest.approx(1.0, abs=0.1)
    assert changes.log_size(ColourJudge(), CASE.subject, BEFORE, drawn(CASE, 0 * CASE.old.mask())) is None


def test_figures_are_sums_over_sums_with_intervals() -> None:
    value, low, high = ratio([(1.0, 2.0), (3.0, 2.0)])
    assert value == 1.0 and low <= value <= high
    assert median([0.0, 0.001, 5.0])[0] == 0.001
    assert leading({"a": [0.12345, 0.0, 1.0], "b": {"c": 2.0, "more": {}}}) == {"a": 0.1235, "b": {"c": 2.0}}
    assert intervals(
        {"a": [0.1, 0.00004, 1.0], "b": {"c": 2.0, "d": [1.0, 0.5, 1.5], "more": {"e": [1.0, 0.0, 2.0]}}}
    ) == {
        "a": [0.0, 1.0],
        "b": {"d": [0.5, 1.5]},
    }


def test_rows_of_moves_become_the_figures_that_are_asked_for() -> None:
    numbers = {"outside": 0.1, "other": 0.2, "colour": 0.3, "patches": 0.4}
    kinds = ("said/free", "unsaid/free", "said/kept", "unsaid/kept")
    row = {
        "placement": {"judge": {kind: {"iou": 0.5, "ghost": 0.0, "drift": 0.001} for kind in kinds}},
        "changes": dict.fromkeys(kinds, numbers),
        "floor": {name: 2 * value for name, value in numbers.items()},
    }
    expected = {"iou": 1.0, "ghost_free": 1.0, "drift": 0.001}
    assert leading(of_move([row, row], "judge")) == expected | dict.fromkeys(numbers, 0.5)


def test_an_orbit_jumps_and_drifts_as_it_was_drawn() -> None:
    frames = [frame_of(CASE, number / 4) for number in range(5)]
    still = [drawn(frame, frame.old.mask()) for frame in frames]
    assert max(jumps(ColourJudge(), frames, still)) < 0.006, "a pixel is 0.0055 of the diagonal"
    late = [drawn(frame, frame.old.at(frame.old.x + 0.1, frame.old.y).mask()) for frame in frames]
    assert max(jumps(ColourJudge(), frames, late)) < 0.006, "what is off by as much in each frame does not jump"
    shaking = [late[number] if number % 2 else still[number] for number in range(5)]
    assert max(jumps(ColourJudge(), frames, shaking)) == pytest.approx(0.1 / 2**0.5, abs=0.006)
    rows = [{"jumps": {"judge": [0.01, 0.02, 0.03]}, "drift": (1.0, 2.0)}] * 2
    assert leading(of_orbit(rows, "judge")) == {"jitter": 0.02, "drift": 0.5}


@pytest.mark.long
def test_the_whole_bench_on_one_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cases", "2", "--steps", "3", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {
        "move",
        "resize",
        "camera",
        "restyle",
        "swap",
        "prompt_to_prompt",
        "real",
        "orbit",
        "cost",
        "cost_shared",
        "second-judge",
    }
    assert figures["move"]["outside"] <= 0.01
