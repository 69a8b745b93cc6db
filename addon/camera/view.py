# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera as numbers: the matrices and the frame that a capture sees through."""

from dataclasses import dataclass

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
