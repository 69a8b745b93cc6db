# SPDX-License-Identifier: MIT
"""Outlines of masks: closed, where the coverage says, few points, and quick."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from addon.raster.contours import HARD, SOFT, dashed, outlines, simplified, solid


def area(loop):
    """Signed, positive where what is covered lies to the right of the way in a picture whose y runs down."""
    x, y = loop.T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def disc(side, x, y, radius, samples=8):
    """Anti-aliased coverage, 0..255, of a disc given in fractions of the grid."""
    at = (np.arange(side * samples) + 0.5) / (side * samples)
    hits = (at[None, :] - x) ** 2 + (at[:, None] - y) ** 2 < radius**2
    return np.rint(hits.reshape(side, samples, side, samples).mean((1, 3)) * 255).astype(np.uint8)


def test_a_disc_is_one_round_line():
    (line,) = outlines(disc(128, 0.4, 0.55, 0.25), 127.5, SOFT)
    away = np.hypot(line[:, 0] - 0.4, line[:, 1] - 0.55)
    assert np.array_equal(line[0], line[-1])
    assert np.abs(away - 0.25).max() < 0.5 / 128
    assert 12 < len(line) < 120
    assert abs(area(line)) == pytest.approx(np.pi * 0.25**2, rel=0.02)


def test_a_hole_runs_the_other_way_round():
    ring = disc(128, 0.5, 0.5, 0.4) - disc(128, 0.5, 0.5, 0.2)
    outer, inner = sorted(map(area, outlines(ring, 127.5, SOFT)), key=abs, reverse=True)
    assert np.sign(outer) != np.sign(inner)
    assert abs(outer) - abs(inner) == pytest.approx(np.pi * (0.4**2 - 0.2**2), rel=0.02)


def test_what_touches_the_border_is_closed_along_it():
    (line,) = outlines(np.full((9, 16), 255), 127.5, SOFT)
    assert line.min() == 0.0 and line.max() == 1.0
    assert abs(area(line)) == pytest.approx(1.0, abs=0.1)


def test_nothing_has_no_outline():
    assert outlines(np.zeros((8, 8)), 127.5, SOFT) == []


@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_any_mask_has_closed_lines_that_keep_its_cells_apart(mask):
    lines = outlines(np.kron(mask, np.ones((4, 4))), 0.5, HARD)
    assert all(np.array_equal(line[0], line[-1]) for line in lines)
    assert all(line.min() >= 0 and line.max() <= 1 for line in lines)
    assert bool(lines) == bool(mask.any())
    assert abs(sum(map(area, lines))) == pytest.approx(mask.mean(), abs=0.35 * (mask.mean() + 0.1))


def test_stairs_become_straight():
    slope = np.tri(64)
    (line,) = outlines(slope, 0.5, HARD)
    assert len(line) < 12


def test_simplification_stays_within_its_tolerance():
    angles = np.linspace(0, 2 * np.pi, 400)
    circle = np.stack([np.cos(angles), np.sin(angles)], 1)
    few = simplified(circle, 0.01)
    assert len(few) < 50
    assert np.hypot(*(few[:-1] + few[1:]).T / 2).min() > 0.99 - 1e-9


def test_dashes_cover_their_share_and_bend_with_the_line():
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=float)
    pieces = dashed(square, 0.03, 0.02, 1.0)
    lengths = np.hypot(*(pieces[:, 1] - pieces[:, 0]).T)
    assert lengths.sum() == pytest.approx(4 * 0.6, rel=0.02)
    assert all(np.isclose(piece[0], piece[1]).any() for piece in pieces)
    assert np.allclose(solid(square)[0], [[0, 0], [1, 0]])


def test_a_mask_is_outlined_in_milliseconds(record_property):
    mask = disc(128, 0.5, 0.5, 0.45)
    seconds = []
    for _ in range(5):
        begun = time.process_time()
        outlines(mask, 127.5, SOFT)
        seconds.append(time.process_time() - begun)
    record_property("seconds", min(seconds))
    assert min(seconds) < 0.02
