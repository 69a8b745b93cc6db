# SPDX-License-Identifier: MIT
"""pip's lines, as they were printed, and what is told of them."""

from functools import reduce

import pytest

from addon.installation.pip_output import Report, heard
from addon.installation.plan import STEPS
from addon.installation.stages import Installation, begun, unpacked

TORCH = "torch-2.13.0-cp313-cp313-manylinux_2_28_x86_64.whl"


def told(*lines: str) -> Report:
    return reduce(heard, lines, Report())


def test_a_download_says_whose_it_is_and_how_much_has_come() -> None:
    report = told(f"  Downloading {TORCH} (526.6 MB)", "Progress 0 of 526602329", "Progress 52660232 of 526602329")
    assert (report.words, report.arrived) == ("torch: 53 of 527 MB", 52660232)
    report = heard(report, "  Downloading numpy-2.4.6-cp313-cp313-manylinux_2_27_x86_64.whl (16.9 MB)")
    assert (report.words, report.arrived) == ("numpy (16.9 MB)", 52660232)
    assert heard(report, "Progress 1000000 of 16918164").arrived == 53660232


def test_what_needs_no_download_is_named_without_its_reasons() -> None:
    line = (
        "Processing /tmp/my wheels/markupsafe-3.0.4-cp311-cp311-manylinux2014_x86_64.whl (from jinja2->torch==2.13.0)"
    )
    assert told("Collecting jinja2 (from torch)").words == "Looking for jinja2"
    assert told(line.replace("my wheels", "wheels")).words == "markupsafe"
    assert told(f"  Using cached {TORCH} (526.6 MB)").words == "torch (526.6 MB)"


def test_unpacking_is_said() -> None:
    report = told("Installing collected packages: mpmath, sympy, torch")
    assert (report.words, report.packages) == ("Unpacking packages: 3", 3)


def test_the_bar_goes_on_from_where_it_was_to_the_end_of_the_step() -> None:
    step, end = STEPS[2], sum(step.share for step in STEPS[:3])
    state = begun(Installation(), step)
    factors = [unpacked(state, step, state.factor, packages, 4).factor for packages in range(5)]
    assert factors[0] == state.factor and factors == sorted(set(factors)) and factors[-1] == pytest.approx(end)
    assert unpacked(state, step, state.factor, 9, 4).factor == factors[-1], "more may be there than were to come"
    assert unpacked(state, step, 1.0, 0, 4).factor == 1.0 and unpacked(state, step, 0.2, 3, 4).words.endswith("3 of 4")


def test_a_size_that_is_unknown_is_left_out() -> None:
    assert told("Progress 5000000 of 0").words == "Server: 5 MB"


def test_other_lines_change_nothing() -> None:
    report = told(f"  Downloading {TORCH} (526.6 MB)")
    for line in ("", "Requirement already satisfied: MarkupSafe>=2.0", "WARNING: Location is ignored", "Progress made"):
        assert heard(report, line) is report
