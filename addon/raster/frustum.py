# SPDX-License-Identifier: GPL-3.0-or-later
"""What can matter to a picture: spheres that lie in the frame and are no smaller than a cell, or many; and faces that
show their fronts. numpy, no bpy."""

from dataclasses import dataclass

import numpy as np

from ..cooperative import Slices
from .lens import Lens
from .triangles import PIECE, Bools, Floats, Singles

FARTHEST = 1e18  # units; squares of more are no numbers in single precision, and Cycles draws nothing of such triangles
NOTICEABLE = 0.01  # of the frame, that is covered by what is smaller than a cell each
MANY = 200_000  # of them, which would take seconds


@dataclass(frozen=True, eq=False)
class Sphere:
    """A middle (3,) and a radius."""

    middle: Floats
    radius: float


def sphere(points: Singles) -> Slices[Sphere]:
    """One around ``points`` (p, 3); those that are no numbers, or next to infinite, have no place."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for begin in range(0, len(points), PIECE):
        piece = points[begin : begin + PIECE]
        near = np.abs(piece) < FARTHEST
        finite = piece if near.all() else piece[near.all(axis=1)]
        low = np.minimum(low, finite.min(axis=0, initial=np.inf))
        high = np.maximum(high, finite.max(axis=0, initial=-np.inf))
        yield
    if not (low <= high).all():
        return Sphere(np.zeros(3), 0.0)
    return Sphere((low + high) / 2, float(np.linalg.norm(high - low)) / 2)


def _longest(linear: Floats) -> Floats:
    """What matrices (n, 3, 3) make a length 1 at most; more than that where they skew."""
    longest: Floats = np.sqrt(np.abs(linear.transpose(0, 2, 1) @ linear).sum(axis=2).max(axis=1))
    return longest


@dataclass(frozen=True, eq=False)
class Frustum:
    """What ``lens`` sees on a grid of ``columns`` and ``rows`` of cells; the owners 0 .. ``count`` - 1 are regions."""

    lens: Lens
    columns: int
    rows: int
    count: int = 0

    def is_region(self, owner: int) -> bool:
        """Whether it is worth a look however small it is."""
        return 0 <= owner < self.count

    def matters(self, bounds: Floats, matrices: Floats, regions: Bools) -> Bools:
        """Which of ``matrices`` (n, 4, 4), to camera space, take a sphere of ``bounds`` (n, 4), middle and radius, to
        where it meets the frame; and, unless it is one of the ``regions`` (n,), to where it is as large as a cell, or
        together with its like covers a noticeable part of the frame."""
        linear = matrices[:, :3, :3]
        radii = bounds[:, 3] * _longest(linear)
        middles = (linear @ bounds[:, :3, None])[:, :, 0] + matrices[:, :3, 3]
        inside, across = self._inside(middles, radii), self._across(middles, 2 * radii)
        small = inside & ~regions & (across < 1.0)
        covered = float((across[small] ** 2).sum()) / (self.columns * self.rows)
        if covered > NOTICEABLE and int(small.sum()) <= MANY:  # a wall of bricks hides, though no brick does
            return inside
        matters: Bools = inside & ~small
        return matters

    def _inside(self, middles: Floats, radii: Floats) -> Bools:
        """Which spheres meet all that the lens sees, between its depths."""
        depths = -middles[:, 2]
        deep: Bools = (depths + radii >= self.lens.near) & (depths - radii <= self.lens.far)
        return deep & self._between_sides(middles, radii)

    def ahead(self, bounds: Floats, matrices: Floats) -> Bools:
        """Which of ``matrices`` (n, 4, 4) take a sphere of ``bounds`` (4,) to where the lens looks, however far."""
        linear = matrices[:, :3, :3]
        middles, radii = linear @ bounds[:3] + matrices[:, :3, 3], bounds[3] * _longest(linear)
        ahead: Bools = self._between_sides(middles, radii) & (middles[:, 2] - radii < 0.0)
        return ahead

    def _between_sides(self, middles: Floats, radii: Floats) -> Bools:
        """Which spheres meet the pyramid, or the beam, that the lens sees."""
        inside = np.ones(len(middles), bool)
        last = self.lens.projection[3]
        for row in self.lens.projection[:2]:
            for plane in (last + row, last - row):
                distances = middles @ plane[:3] + plane[3]
                inside &= distances >= -radii * float(np.linalg.norm(plane[:3]))
        return inside

    def _across(self, middles: Floats, sizes: Floats) -> Floats:
        """How many cells those sizes take up; what is near the camera takes up many."""
        near = np.maximum(-middles[:, 2] - sizes / 2, self.lens.near) if self.lens.perspective else 1.0
        cells = max(
            abs(float(self.lens.projection[0, 0])) * self.columns / 2,
            abs(float(self.lens.projection[1, 1])) * self.rows / 2,
        )
        across: Floats = sizes * cells / near
        return across

    def facing(self, corners: Floats) -> Bools:
        """Which triangles (n, 3, 3) in camera space turn anticlockwise as they are seen."""
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        normals = np.cross(b - a, c - a)
        toward = -(normals * a).sum(axis=1) if self.lens.perspective else normals[:, 2]
        facing: Bools = toward > 0.0
        return facing
