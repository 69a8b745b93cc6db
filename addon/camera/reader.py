# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera read out of Blender: which one is looked through, and its view as numbers."""

import bpy
import numpy as np

from ..messages.errors import NoCamera, PanoramicCamera
from ..raster.lens import Lens
from .view import View

FLAT = {"PERSP", "ORTHO"}
FLATTENED = 1e-9  # of a determinant: what is looked at lies in a plane with the camera


def view(scene: bpy.types.Scene, camera: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> View:
    """What ``camera`` frames at the scene's resolution and pixel aspect. Raises PanoramicCamera and NoCamera."""
    if camera.data.type not in FLAT:
        raise PanoramicCamera(
            f"{camera.name} is a panoramic camera; a picture needs a flat view.",
            "Set its type to Perspective or Orthographic.",
        )
    render = scene.render
    width, height = (
        int(side * render.resolution_percentage / 100) for side in (render.resolution_x, render.resolution_y)
    )
    aspect_x, aspect_y = render.pixel_aspect_x, render.pixel_aspect_y
    evaluated = camera.evaluated_get(depsgraph)
    projection = evaluated.calc_matrix_camera(depsgraph, x=width, y=height, scale_x=aspect_x, scale_y=aspect_y)
    lens = Lens(np.array(projection), evaluated.data.clip_start, evaluated.data.clip_end)
    stands = np.array(evaluated.matrix_world.normalized())
    if not np.isfinite(stands).all() or abs(np.linalg.det(stands)) < FLATTENED:
        raise NoCamera(
            f"{camera.name} is scaled to nothing, or stands nowhere.",
            "Clear its location and scale (Alt G, Alt S), and those of what it is parented to.",
        )
    pose = np.array(evaluated.matrix_world.normalized().inverted())
    return View(pose, lens, (width * aspect_x) / (height * aspect_y))


def camera_of(scene: bpy.types.Scene, camera: bpy.types.Object | None = None) -> bpy.types.Object:
    """``camera``, or the scene's own. Raises NoCamera."""
    chosen = camera or scene.camera
    if chosen is None or chosen.type != "CAMERA":
        raise NoCamera("The scene has no camera.", "Add one, and make it the scene's camera.")
    return chosen


def camera_data(camera: bpy.types.Object) -> bpy.types.Camera:
    """The lens and display settings of an object that is a camera."""
    data = camera.data
    assert isinstance(data, bpy.types.Camera), f"{camera.name} is no camera"
    return data
