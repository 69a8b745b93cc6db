# SPDX-License-Identifier: MIT
"""What all that deals in triangles shares."""

import numpy as np

from addon.raster.triangles import PAGE, touching


def test_new_memory_is_had_a_page_at_a_time():
    points, rows = np.ones((3, PAGE // 8)), np.ones(10, np.int32)
    slices = touching(points, rows)
    for count in (1, 2, 3):
        next(slices)
        assert [int((row == 0).sum()) for row in points] == [int(number < count) for number in range(3)]
    assert len(list(slices)) == 1 and rows[0] == 0 and rows[1:].all()
    assert not list(touching(np.empty((0, 3))))
