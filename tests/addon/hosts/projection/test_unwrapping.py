# SPDX-License-Identifier: MIT
"""Surfaces without UVs lie flat in charts: connected, apart by their margins, all of one scale."""

import numpy as np
import pytest

from addon.cooperative import finish
from addon.projection.unwrapping import Faces, charts, unwrapped


def faces(points, polygons):
    """Polygons of indices as flat arrays."""
    points = np.array(points, np.float32)
    numbers = np.array([len(polygon) for polygon in polygons])
    starts = np.cumsum(numbers) - numbers
    vertices = np.concatenate(polygons).astype(np.int32)
    a, b, c = (points[vertices[starts + corner]] for corner in range(3))
    return Faces(points, vertices, starts, np.repeat(np.arange(len(numbers)), numbers), np.cross(b - a, c - a))


def strip(number, apart=1.0):
    """Squares in a row, each joined to the next where they are not apart."""
    points = [(apart * x, y, 0) for x in range(number + 1) for y in (0, 1)]
    return points, [(2 * n, 2 * n + 2, 2 * n + 3, 2 * n + 1) for n in range(number)]


def test_a_long_strip_is_one_chart_in_whatever_order_its_faces_come():
    points, polygons = strip(500)
    order = np.random.default_rng(1).permutation(len(polygons))
    shuffled = faces(points, [polygons[index] for index in order])
    assert (finish(charts(shuffled, np.zeros(500, np.int64))) == 0).all()


def test_a_box_has_six_charts_of_one_scale_and_their_margins():
    corners = [(x, y, z) for z in (0, 2) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    sides = [(3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
    uvs = finish(unwrapped(faces(corners, sides), 512, 8)).reshape(6, 4, 2) * 512
    low, high = uvs.min(1), uvs.max(1)
    assert low.min() >= 8 and high.max() <= 504
    assert np.allclose((high - low)[0], (high - low)[0, 0], rtol=1e-4)
    assert np.allclose((high - low)[2:].prod(1), 2 * (high - low)[0].prod(), rtol=1e-4)
    for one in range(6):
        for other in range(one):
            apart = np.maximum(low[one] - high[other], low[other] - high[one])
            assert apart.max() >= 16 - 1e-3
    signed = [np.cross(chart[1] - chart[0], chart[2] - chart[0]) for chart in np.pad(uvs, ((0, 0), (0, 0), (0, 1)))]
    assert all(area[2] > 0 for area in signed)  # seen from outside, none mirrored


def test_loose_pieces_beyond_number_are_refused():
    points = [(2 * n + x, y, 0) for n in range(200) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    loose = faces(points, [(4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 3) for n in range(200)])
    assert finish(unwrapped(loose, 512, 8)).max() <= 1
    with pytest.raises(ValueError, match="200"):
        finish(unwrapped(loose, 128, 8))
