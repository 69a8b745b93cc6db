# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera's pose and lens as plain values, and back."""

from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..custom_properties import has
from ..messages.errors import CameraHeld, LockedObject
from .pose import LENS, CameraPose

CLOSE = 1e-4  # what differs by less shows the same picture
CARRIER = "maquette_carrier"  # on an empty that stands for nothing but the skew of a camera that it carries


def pose_of(camera: bpy.types.Object) -> CameraPose:
    """The camera as it stands, animation and constraints included."""
    matrix = _numbers(camera.matrix_world)
    return CameraPose(camera=camera.name_full, matrix=matrix, **{name: getattr(camera.data, name) for name in LENS})


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


def carry(camera: bpy.types.Object, matrix: Matrix) -> bpy.types.Object | None:
    """Put a camera that nothing carries where ``matrix`` says; the empty that carries it, where there has to be one.

    Location, rotation and scale cannot say every matrix: not one that skews, as a camera's under a parent that is
    scaled unevenly. The inverse of a parent's matrix can.
    """
    camera.matrix_basis = matrix
    if _same(camera.matrix_basis, matrix):
        return None
    carrier = bpy.data.objects.new(f"{camera.name} carrier", None)
    carrier[CARRIER] = True
    carrier.empty_display_size, carrier.hide_select, carrier.hide_render = 0.0, True, True
    for collection in camera.users_collection:
        collection.objects.link(carrier)
    camera.parent, camera.matrix_parent_inverse, camera.matrix_basis = carrier, matrix, Matrix()
    return carrier


def carried(camera: bpy.types.Object) -> Matrix:
    """Where a camera is that ``carry`` has put there, even where Blender evaluates it nowhere."""
    matrix: Matrix = camera.matrix_basis.copy()
    return camera.matrix_parent_inverse @ matrix if camera.parent is not None else matrix


def release(camera: bpy.types.Object) -> None:
    """Remove the empty that carries a camera, if one does."""
    carrier = camera.parent
    if carrier is not None and has(carrier, CARRIER):
        camera.parent = None
        bpy.data.objects.remove(carrier)


def hold(camera: bpy.types.Object, pose: CameraPose, layer: bpy.types.ViewLayer) -> None:
    """Put a camera there, with that lens. Raises LockedObject, and CameraHeld when it does not stay there.

    The camera then is where it was.
    """
    if not (camera.is_editable and camera.data.is_editable):
        raise LockedObject(f"{camera.name} belongs to another file.", "Make it local first.", camera.name)
    before, numbers = pose_of(camera), _copied(camera)
    parent = camera.matrix_world @ (camera.matrix_parent_inverse @ camera.matrix_basis).inverted_safe()
    camera.matrix_world = _matrix(pose)
    _set_lens(camera, pose, layer)
    if not stands(camera, pose) and not _skewed(camera, pose, parent, layer):
        for name, value in numbers.items():
            setattr(camera, name, value)
        _set_lens(camera, before, layer)
        message = f"{camera.name} is held by constraints, drivers or keyframes."
        raise CameraHeld(message, "Mute them, and try again.", camera.name)


def _skewed(camera: bpy.types.Object, pose: CameraPose, parent: Matrix, layer: bpy.types.ViewLayer) -> bool:
    """Put a camera there by what lies between it and its ``parent``, a matrix; an empty where there is none. Whether
    it then stands."""
    matrix, carrier = _matrix(pose), None
    if camera.parent is None and not camera.constraints and camera.animation_data is None:
        carrier = carry(camera, matrix)
    elif camera.parent is not None:
        camera.matrix_basis, camera.matrix_parent_inverse = Matrix(), parent.inverted_safe() @ matrix
    _set_lens(camera, pose, layer)
    if stands(camera, pose):
        return True
    if carrier is not None:
        release(camera)
    return False


def _copied(camera: bpy.types.Object) -> dict[str, Any]:
    """The numbers that say where an object is, exactly; a matrix would round them."""
    values = {
        name: getattr(camera, name).copy() for name in ("location", "rotation_euler", "rotation_quaternion", "scale")
    }
    return values | {
        "rotation_axis_angle": tuple(camera.rotation_axis_angle),
        "matrix_parent_inverse": camera.matrix_parent_inverse.copy(),
    }


def _same(one: Matrix, other: Matrix) -> bool:
    return all(_close(a, b) for a, b in zip(_numbers(one), _numbers(other), strict=True))


def _set_lens(camera: bpy.types.Object, pose: CameraPose, layer: bpy.types.ViewLayer) -> None:
    """The lens, and whatever moves the camera has its say again: keyframes too, which wait for the next frame else."""
    for name in LENS:
        setattr(camera.data, name, getattr(pose, name))
    for datablock in (camera, camera.data):
        datablock.update_tag(refresh={"TIME"})
    layer.update()


def _matrix(pose: CameraPose) -> Matrix:
    return Matrix([pose.matrix[row : row + 4] for row in range(0, 16, 4)])


def _numbers(matrix: Matrix) -> tuple[float, ...]:
    return tuple(np.array(matrix, dtype=np.float64).ravel().tolist())


def _close(one: float | str, other: float | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return abs(one - other) < CLOSE * max(1.0, abs(other))
