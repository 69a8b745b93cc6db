# SPDX-License-Identifier: MIT
"""What can be left out of a frame: what lies outside, and specks; never a wall of them."""

import numpy as np

from addon.raster.frustum import Frustum
from addon.raster.lens import Lens

LENS = Lens(np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, -1.0, -0.2], [0, 0, -1.0, 0]]), 0.1, 1000.0)
FRUSTUM = Frustum(LENS, 64, 64, count=1)


def matters(middles: list[tuple[float, float, float]], radius: float, region: bool = False) -> list[bool]:
    matrices = np.tile(np.eye(4), (len(middles), 1, 1))
    matrices[:, :3, 3] = middles
    bounds = np.tile([0.0, 0.0, 0.0, radius], (len(middles), 1))
    return list(FRUSTUM.matters(bounds, matrices, np.full(len(middles), region)))


def test_a_speck_matters_only_as_a_region():
    assert matters([(0, 0, -10.0)], 0.01) == [False]
    assert matters([(0, 0, -10.0)], 0.01, region=True) == [True]
    assert matters([(0, 0, -10.0)], 1.0) == [True]
    assert matters([(0, 0, 10.0)], 1.0, region=True) == [False], "behind the camera"


def test_many_specks_are_a_wall():
    along = np.linspace(-9.0, 9.0, 90)
    wall = [(float(x), float(y), -10.0) for x in along for y in along]
    assert all(matters(wall, 0.1)), "each is smaller than a cell, and together they hide all"
    assert not any(matters(wall[::400], 0.1)), "some here and there hide nothing"
