# SPDX-License-Identifier: GPL-3.0-or-later
"""What a camera does to space. No bpy."""

from dataclasses import dataclass

from .triangles import Floats


@dataclass(frozen=True, eq=False)
class Lens:
    """A projection, (4, 4), from camera space to clip space, and the depths between which the camera sees."""

    projection: Floats
    near: float
    far: float

    @property
    def perspective(self) -> bool:
        """Whether lines of sight meet in the camera; they are parallel in an orthographic one."""
        return bool(self.projection[3, 2] != 0.0)
