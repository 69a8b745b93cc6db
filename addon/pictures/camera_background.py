# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture behind the camera: laid there, kept in step, removed."""

import bpy

from ..camera.reader import camera_data
from ..custom_properties import has
from ..projection.materials import check

BACKGROUND = "maquette_background"  # on a camera's data: our picture, and whether it showed others before
FOLLOW = "maquette_follow"  # on a scene: whether backgrounds show each new picture
OPACITY = 0.5  # of the picture over the camera's view, so that the blocks stay visible


def background(camera: bpy.types.Object, picture: bpy.types.Image) -> bpy.types.CameraBackgroundImage:
    """Show ``picture`` over what ``camera`` sees, instead of an earlier one and with its settings; what shows it.

    Raises LockedObject.
    """
    data = camera_data(camera)
    check([data])
    if not has(data, BACKGROUND):
        data[BACKGROUND] = {"shown": data.show_background_images}
    layer = _ours(data) or _new_background(data)
    layer.image = data[BACKGROUND]["picture"] = picture
    data.show_background_images = True
    return layer


def follow(scene: bpy.types.Scene, camera: bpy.types.Object | None, picture: bpy.types.Image) -> None:
    """Show a new picture instead of the camera's background, where there is one and the artist wishes so."""
    if scene.get(FOLLOW, False) and camera is not None and has_background(camera):
        background(camera, picture)


def has_background(camera: bpy.types.Object | None) -> bool:
    """Whether ``camera`` shows a picture of ours."""
    if camera is None or camera.type != "CAMERA":
        return False
    data = camera_data(camera)
    return data.is_editable and has(data, BACKGROUND)


def shows_background(scene: bpy.types.Scene) -> bool:
    """Whether any camera of the scene shows a picture of ours. A panel asks with every redraw: objects are gone through
    only where some camera of the file does."""
    cameras = [data for data in bpy.data.cameras if data.is_editable and has(data, BACKGROUND)]
    return bool(cameras) and any(item.data in cameras for item in scene.objects)


def remove_background(camera: bpy.types.Object) -> None:
    """Take our picture out of the camera's view; whether it shows others is as it was."""
    data = camera_data(camera)
    layer = _ours(data)
    if layer is not None:
        data.background_images.remove(layer)
    data.show_background_images = data[BACKGROUND]["shown"]
    del data[BACKGROUND]


def _ours(camera: bpy.types.Camera) -> bpy.types.CameraBackgroundImage | None:
    """The background that shows our picture, unless the artist has removed it or given it another one."""
    picture = camera[BACKGROUND].get("picture") if has(camera, BACKGROUND) else None
    return next((layer for layer in camera.background_images if picture and layer.image == picture), None)


def _new_background(camera: bpy.types.Camera) -> bpy.types.CameraBackgroundImage:
    """A new background that lies on the frame exactly: whole pixels bend the picture's aspect a little."""
    layer = camera.background_images.new()
    layer.alpha, layer.display_depth, layer.frame_method = OPACITY, "FRONT", "STRETCH"
    return layer
