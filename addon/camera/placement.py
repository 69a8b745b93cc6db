# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera's place and lens as plain values, and back."""

from dataclasses import replace

import bpy
from mathutils import Matrix

from ..messages.errors import CameraHeld, LockedObject
from .pose import LENS, CameraPose

CLOSE = 1e-4  # what differs by less shows the same picture


def seen_from(camera: bpy.types.Object) -> CameraPose:
    """The camera as it stands, animation and constraints included."""
    matrix = tuple(float(number) for row in camera.matrix_world for number in row)
    return CameraPose(camera=camera.name, matrix=matrix, **{name: getattr(camera.data, name) for name in LENS})


def placed(shot: CameraPose, matrix: Matrix, scale: float | None = None) -> CameraPose:
    """The same camera in another place; an orthographic one there sees ``scale`` units, where that is given."""
    moved = replace(shot, matrix=tuple(float(number) for row in matrix for number in row))
    return moved if scale is None or shot.type != "ORTHO" else replace(moved, ortho_scale=scale)


def stands(camera: bpy.types.Object | None, shot: CameraPose) -> bool:
    """Whether a camera is there, with that lens; an Empty that a scene looks through is none."""
    if camera is None or camera.type != "CAMERA":
        return False
    now = seen_from(camera)
    same = all(_close(getattr(now, name), getattr(shot, name)) for name in LENS)
    return same and all(_close(one, other) for one, other in zip(now.matrix, shot.matrix, strict=True))


def hold(camera: bpy.types.Object, shot: CameraPose, layer: bpy.types.ViewLayer) -> None:
    """Put a camera there, with that lens. Raises LockedObject, and CameraHeld when it does not stay there.

    The camera then is where it was.
    """
    if not (camera.is_editable and camera.data.is_editable):
        raise LockedObject(f"{camera.name} belongs to another file.", "Make it local first.", camera.name)
    before = camera.matrix_basis.copy(), seen_from(camera)
    camera.matrix_world = Matrix([shot.matrix[row : row + 4] for row in range(0, 16, 4)])
    _set_lens(camera, shot, layer)
    if not stands(camera, shot):
        camera.matrix_basis = before[0]
        _set_lens(camera, before[1], layer)
        held = f"{camera.name} is held by constraints, drivers or keyframes."
        raise CameraHeld(held, "Mute them, and try again.", camera.name)


def _set_lens(camera: bpy.types.Object, shot: CameraPose, layer: bpy.types.ViewLayer) -> None:
    """The lens, and whatever moves the camera has its say again: keyframes too, which wait for the next frame else."""
    for name in LENS:
        setattr(camera.data, name, getattr(shot, name))
    for moved in (camera, camera.data):
        moved.update_tag(refresh={"TIME"})
    layer.update()


def _close(one: float | str, other: float | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) < CLOSE * max(1.0, abs(other))
