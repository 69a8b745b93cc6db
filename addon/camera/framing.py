# SPDX-License-Identifier: GPL-3.0-or-later
"""What a viewport shows, as a camera."""

import bpy
from mathutils import Matrix, Vector


def frame_view(
    camera: bpy.types.Camera,
    scene: bpy.types.Scene,
    space: bpy.types.SpaceView3D,
    view: bpy.types.RegionView3D,
    behind: float = 0.0,
) -> Matrix:
    """Give ``camera`` the lens with which its frame just holds what ``view`` shows; where it then has to stand.

    A frame of another shape than the view holds more beside it, or above and below. An orthographic view also shows
    what is ``behind`` its eye, so far, and an orthographic camera does not: it steps back.
    """
    camera.type = "PERSP" if view.is_perspective else "ORTHO"
    camera.clip_start, camera.clip_end = space.clip_start, space.clip_end
    half = half_frame(camera, scene)
    wider = max(1 / (view.window_matrix[axis][axis] * half[axis]) for axis in (0, 1))
    pose: Matrix = view.view_matrix.inverted()
    if view.is_perspective:
        camera.lens /= wider
        return pose
    camera.ortho_scale *= wider
    step = behind + camera.clip_start
    camera.clip_end += step  # what the view shows farthest away
    return pose @ Matrix.Translation((0.0, 0.0, step))


def half_frame(camera: bpy.types.Camera, scene: bpy.types.Scene) -> Vector:
    """How far the camera's frame reaches from its axis: at a distance of 1, or anywhere when it is orthographic."""
    corners = camera.view_frame(scene=scene)
    away = 1.0 if camera.type == "ORTHO" else -corners[0].z
    return Vector([max(abs(corner[axis]) for corner in corners) / away for axis in (0, 1)])
