# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera's place and lens as plain values, and back."""

import bpy
from mathutils import Matrix

from .history import LENS, Shot

CLOSE = 1e-4  # what differs by less shows the same picture


def seen_from(camera: bpy.types.Object) -> Shot:
    """The camera as it stands, animation and constraints included."""
    matrix = tuple(float(number) for row in camera.matrix_world for number in row)
    return Shot(camera=camera.name, matrix=matrix, **{name: getattr(camera.data, name) for name in LENS})


def stands(camera: bpy.types.Object | None, shot: Shot) -> bool:
    """Whether a camera is there, with that lens."""
    if camera is None:
        return False
    now = seen_from(camera)
    same = all(_close(getattr(now, name), getattr(shot, name)) for name in LENS)
    return same and all(_close(one, other) for one, other in zip(now.matrix, shot.matrix, strict=True))


def hold(camera: bpy.types.Object, shot: Shot) -> None:
    """Put a camera there, with that lens; what constrains it may pull it away again."""
    camera.matrix_world = Matrix([shot.matrix[row : row + 4] for row in range(0, 16, 4)])
    for name in LENS:
        setattr(camera.data, name, getattr(shot, name))


def _close(one: float | str, other: float | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) < CLOSE
