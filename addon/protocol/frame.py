# SPDX-License-Identifier: MIT
"""Measures in the artist's frame, for whoever says how far a picture is off. Standard library only."""

from math import hypot


def offset(one: tuple[float, float], other: tuple[float, float], aspect: float) -> float:
    """The distance between two points of a frame, as a fraction of its diagonal.

    Points are fractions of the frame; ``aspect`` is its width over its height.
    """
    return hypot((one[0] - other[0]) * aspect, one[1] - other[1]) / hypot(aspect, 1.0)
