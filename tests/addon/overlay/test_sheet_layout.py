# SPDX-License-Identifier: MIT
"""Where cells of a contact sheet and the sides of a comparison lie."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.overlay.sheet_layout import (
    Bounds,
    cell_at,
    cells,
    fraction_at,
    inscribed,
    left_of,
    line_at,
    right_of,
    unobstructed,
)

EDITOR = Bounds(10.0, 20.0, 810.0, 620.0)
CAPTION, GAP = 20.0, 10.0


def apart(one: Bounds, other: Bounds) -> bool:
    """Whether two rectangles share no point."""
    beside = one.right <= other.left or other.right <= one.left
    return beside or one.top <= other.bottom or other.top <= one.bottom


@given(
    st.lists(st.floats(0.2, 5.0), min_size=1, max_size=16),
    st.floats(300.0, 3000.0),
    st.floats(300.0, 3000.0),
)
def test_pictures_of_any_size_lie_apart_with_room_for_their_captions(
    aspects: list[float], width: float, height: float
) -> None:
    bounds = Bounds(0.0, 0.0, width, height)
    sheet = cells(bounds, aspects, CAPTION, GAP)
    assert len(sheet) == len(aspects)
    assert all(apart(one.whole, other.whole) for one, other in combinations(sheet, 2))
    for cell, aspect in zip(sheet, aspects, strict=True):
        assert cell.picture.width / cell.picture.height == pytest.approx(aspect)
        assert cell.picture.bottom >= cell.whole.bottom + CAPTION - 1e-6
        assert cell.whole.left >= GAP - 1e-6 and cell.whole.right <= width - GAP + 1e-6
        assert cell.whole.bottom >= GAP - 1e-6 and cell.whole.top <= height - GAP + 1e-6
        x, y = (cell.picture.left + cell.picture.right) / 2, (cell.picture.bottom + cell.picture.top) / 2
        assert cell_at(sheet, x, y) == sheet.index(cell)


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (4, 2), (5, 3), (9, 3), (16, 6)], ids=lambda number: str(number)
)
def test_squares_fill_a_wide_editor_in_rows(count: int, columns: int) -> None:
    sheet = cells(EDITOR, [1.0] * count, CAPTION, GAP)
    assert len({cell.whole.left for cell in sheet}) == columns
    assert sheet[0].whole.left == min(cell.whole.left for cell in sheet)
    assert sheet[0].whole.top == max(cell.whole.top for cell in sheet)
    middle = (min(c.whole.left for c in sheet) + max(c.whole.right for c in sheet)) / 2
    assert middle == pytest.approx((EDITOR.left + EDITOR.right) / 2)


def test_banners_lie_below_each_other() -> None:
    assert len({cell.whole.left for cell in cells(EDITOR, [5.0] * 4, CAPTION, GAP)}) == 1


def test_an_editor_too_small_has_no_cells_and_a_gap_is_no_cell() -> None:
    assert cells(Bounds(0.0, 0.0, 30.0, 30.0), [1.0] * 4, CAPTION, GAP) == ()
    sheet = cells(EDITOR, [1.0] * 4, CAPTION, GAP)
    assert cell_at(sheet, sheet[0].whole.right + GAP / 2, sheet[0].picture.top - 1.0) is None
    assert cell_at(sheet, sheet[0].whole.left, sheet[0].whole.bottom) == 0  # the caption is part of it


def test_what_lies_on_a_region_takes_its_strip() -> None:
    sidebar, header = Bounds(600.0, 0.0, 810.0, 700.0), Bounds(0.0, 590.0, 810.0, 630.0)
    assert unobstructed(EDITOR, [sidebar, header]) == Bounds(10.0, 20.0, 600.0, 590.0)
    assert unobstructed(EDITOR, [Bounds(900.0, 0.0, 950.0, 600.0)]) == EDITOR
    toolbar, footer = Bounds(0.0, 0.0, 50.0, 700.0), Bounds(0.0, 0.0, 900.0, 30.0)
    assert unobstructed(EDITOR, [toolbar, footer]) == Bounds(50.0, 30.0, 810.0, 620.0)


@given(st.floats(0.0, 1.0), st.floats(0.2, 5.0))
def test_the_two_sides_of_a_line_cover_what_they_show_and_no_more(fraction: float, aspect: float) -> None:
    line, second = line_at(EDITOR, fraction), inscribed(EDITOR, aspect)
    left, right = left_of(EDITOR, line), right_of(second, line)
    assert fraction_at(EDITOR, line) == pytest.approx(fraction)
    assert left.bounds.right == line and (left.start, left.end) == (0.0, pytest.approx(fraction))
    assert right.bounds.left >= min(line, second.right) and right.bounds.right == second.right
    assert right.end == 1.0 and 0.0 <= right.start <= 1.0
    assert right.bounds.width / second.width == pytest.approx(right.end - right.start)


def test_a_line_stays_at_the_frames_edges() -> None:
    assert (fraction_at(EDITOR, -50.0), fraction_at(EDITOR, 5000.0)) == (0.0, 1.0)
    assert right_of(EDITOR, EDITOR.right).bounds.width == 0.0
