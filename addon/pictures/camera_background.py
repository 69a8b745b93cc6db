# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture behind the camera: laid there, kept in step, removed."""

import bpy

from ..projection.materials import check

BACKGROUND = "maquette_background"  # on a camera's data: our picture, and whether it showed others before
FOLLOW = "maquette_follow"  # on a scene: whether backgrounds show each new picture
OPACITY = 0.5  # of the picture over the camera's view, so that the blocks stay visible


def background(camera: bpy.types.Object, picture: bpy.types.Image) -> None:
    """Show ``picture`` over what ``camera`` sees, in the place and with the settings of an earlier one.

    Raises LockedObject.
    """
    check([camera.data])
    data = camera.data
    if BACKGROUND not in data:
        data[BACKGROUND] = {"shown": data.show_background_images}
    ours = _ours(data) or _slide(data)
    ours.image = data[BACKGROUND]["picture"] = picture
    data.show_background_images = True


def follow(scene: bpy.types.Scene, camera: bpy.types.Object | None, picture: bpy.types.Image) -> None:
    """Show a new picture in the place of the camera's background, where there is one and the artist wishes so."""
    if scene.get(FOLLOW, False) and has_background(camera):
        background(camera, picture)


def has_background(camera: bpy.types.Object | None) -> bool:
    """Whether ``camera`` shows a picture of ours."""
    return camera is not None and camera.type == "CAMERA" and camera.data.is_editable and BACKGROUND in camera.data


def remove_background(camera: bpy.types.Object) -> None:
    """Take our picture out of the camera's view; whether it shows others is as it was."""
    data = camera.data
    ours = _ours(data)
    if ours is not None:
        data.background_images.remove(ours)
    data.show_background_images = data[BACKGROUND]["shown"]
    del data[BACKGROUND]


def _ours(camera: bpy.types.Camera) -> bpy.types.CameraBackgroundImage | None:
    """The background that shows our picture, unless the artist has removed it or given it another one."""
    picture = camera[BACKGROUND].get("picture") if BACKGROUND in camera else None
    return next((shown for shown in camera.background_images if picture and shown.image == picture), None)


def _slide(camera: bpy.types.Camera) -> bpy.types.CameraBackgroundImage:
    """A new background that lies on the frame exactly: whole pixels bend the picture's aspect a little."""
    slide = camera.background_images.new()
    slide.alpha, slide.display_depth, slide.frame_method = OPACITY, "FRONT", "STRETCH"
    return slide
