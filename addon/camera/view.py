# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera as numbers: the matrices and the frame that a capture sees through."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..raster.lens import Lens
from ..raster.triangles import Floats


@dataclass(frozen=True, eq=False)
class View:
    """What a camera sees: ``pose`` (4, 4) takes the world to camera space, ``lens`` that to the artist's frame."""

    pose: Floats
    lens: Lens
    aspect: float  # width over height of the rendered picture, pixel aspect included


def numbers(view: View) -> tuple[float, ...]:
    """A view's pose and lens as plain numbers, to tell later whether the camera has moved since."""
    return tuple(float(number) for number in (*view.pose.ravel(), *view.lens.projection.ravel()))


def unmoved(now: Sequence[float], then: Sequence[float]) -> bool:
    """Whether views of these ``numbers`` show the same, as far as rounding a small frame to whole pixels allows.

    Of the projection that is what its first two rows do: the third has the clip planes.
    """
    one, other = np.array(now), np.array(then)
    if one.shape != other.shape:
        return False
    pose, lens = slice(0, 16), slice(16, 24)
    same_pose = np.allclose(one[pose], other[pose], rtol=0.0, atol=1e-4)
    return same_pose and np.allclose(one[lens], other[lens], rtol=1.5e-3, atol=1e-5)
