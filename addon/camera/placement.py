# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera's pose and lens as plain values, and back."""

from dataclasses import replace

import bpy
import numpy as np
from mathutils import Matrix

from ..messages.errors import CameraHeld, LockedObject
from .pose import LENS, CameraPose

CLOSE = 1e-4  # what differs by less shows the same picture


def pose_of(camera: bpy.types.Object) -> CameraPose:
    """The camera as it stands, animation and constraints included."""
    matrix = _numbers(camera.matrix_world)
    return CameraPose(camera=camera.name, matrix=matrix, **{name: getattr(camera.data, name) for name in LENS})


def moved(pose: CameraPose, matrix: Matrix, scale: float | None = None) -> CameraPose:
    """The same camera elsewhere; an orthographic one sees ``scale`` units there, where that is given."""
    elsewhere = replace(pose, matrix=_numbers(matrix))
    return elsewhere if scale is None or pose.type != "ORTHO" else replace(elsewhere, ortho_scale=scale)


def stands(camera: bpy.types.Object | None, pose: CameraPose) -> bool:
    """Whether a camera is there, with that lens; an Empty that a scene looks through is none."""
    if camera is None or camera.type != "CAMERA":
        return False
    now = pose_of(camera)
    same = all(_close(getattr(now, name), getattr(pose, name)) for name in LENS)
    return same and all(_close(one, other) for one, other in zip(now.matrix, pose.matrix, strict=True))


def hold(camera: bpy.types.Object, pose: CameraPose, layer: bpy.types.ViewLayer) -> None:
    """Put a camera there, with that lens. Raises LockedObject, and CameraHeld when it does not stay there.

    The camera then is where it was.
    """
    if not (camera.is_editable and camera.data.is_editable):
        raise LockedObject(f"{camera.name} belongs to another file.", "Make it local first.", camera.name)
    before = camera.matrix_basis.copy(), pose_of(camera)
    camera.matrix_world = Matrix([pose.matrix[row : row + 4] for row in range(0, 16, 4)])
    _set_lens(camera, pose, layer)
    if not stands(camera, pose):
        camera.matrix_basis = before[0]
        _set_lens(camera, before[1], layer)
        message = f"{camera.name} is held by constraints, drivers or keyframes."
        raise CameraHeld(message, "Mute them, and try again.", camera.name)


def _set_lens(camera: bpy.types.Object, pose: CameraPose, layer: bpy.types.ViewLayer) -> None:
    """The lens, and whatever moves the camera has its say again: keyframes too, which wait for the next frame else."""
    for name in LENS:
        setattr(camera.data, name, getattr(pose, name))
    for datablock in (camera, camera.data):
        datablock.update_tag(refresh={"TIME"})
    layer.update()


def _numbers(matrix: Matrix) -> tuple[float, ...]:
    return tuple(np.array(matrix, dtype=np.float64).ravel().tolist())


def _close(one: float | str, other: float | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) < CLOSE * max(1.0, abs(other))
