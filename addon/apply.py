# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture into the artist's scene, and out again: behind the camera, and projected onto the marked things."""

import json
from collections.abc import Sequence
from pathlib import Path

import bpy

from .contract import Achieved, Blockout, dump
from .dressing import check
from .marks import PROMPT, collections
from .projectors import project, take_all_down

PICTURE, REQUEST, ACHIEVED, CAMERA, POSE, ENTRY = (  # the first on a scene, the others on its pictures
    f"maquette_{name}" for name in ("picture", "request", "achieved", "camera", "pose", "entry")
)
BACKGROUND = "maquette_background"  # on a camera's data: our picture, and whether it showed others before
FOLLOW = "maquette_follow"  # on a scene: whether backgrounds show each new picture
OPACITY = 0.5  # of the picture over the camera's view, so that the blocks stay visible


def apply_result(scene: bpy.types.Scene, camera: bpy.types.Object, picture: Path) -> bpy.types.Image:
    """Load ``picture``, an image file of the camera's frame, pack it, show it in the camera and project it.

    Raises as ``background`` and ``project`` do.
    """
    image = _packed(picture)
    background(camera, image)
    project(scene, camera, image)
    return image


def loaded(
    file: Path,
    request: str,
    achieved: Sequence[Achieved],
    pose: Sequence[float],
    camera: bpy.types.Object | None,
) -> bpy.types.Image:
    """A picture of ours as an image of the .blend, packed, with what it was asked for and what it was seen through.

    Raises RuntimeError for a file that is gone, or no picture.
    """
    image = _packed(file)
    image.preview_ensure()
    image[REQUEST] = request
    image[ACHIEVED] = json.dumps(dump(achieved))
    image[POSE] = pose
    if camera is not None:
        image[CAMERA] = camera
    return image


def settle(scene: bpy.types.Scene, image: bpy.types.Image, request: Blockout) -> None:
    """Make this the scene's picture, and the settings it was painted with the scene's."""
    scene[PICTURE] = image
    scene[PROMPT] = request.prompt
    for name in ("seed", "steps", "strength"):
        scene[f"maquette_{name}"] = getattr(request, name)


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


def remove(scene: bpy.types.Scene) -> None:
    """Take projections and backgrounds out of the scene, and give every slot and camera what it had.

    The pictures themselves stay: the scene's latest, and what uses one; others until the file is saved.
    """
    take_all_down(scene)
    for thing in {thing: None for home in collections(scene) for thing in home.objects}:
        if has_background(thing):
            remove_background(thing)


def _packed(file: Path) -> bpy.types.Image:
    """An image file, in the .blend itself."""
    image = bpy.data.images.load(str(file))
    image.name = "Maquette"
    image.pack()
    return image


def _ours(camera: bpy.types.Camera) -> bpy.types.CameraBackgroundImage | None:
    """The background that shows our picture, unless the artist has removed it or given it another one."""
    picture = camera[BACKGROUND].get("picture") if BACKGROUND in camera else None
    return next((shown for shown in camera.background_images if picture and shown.image == picture), None)


def _slide(camera: bpy.types.Camera) -> bpy.types.CameraBackgroundImage:
    """A new background that lies on the frame exactly: whole pixels bend the picture's aspect a little."""
    slide = camera.background_images.new()
    slide.alpha, slide.display_depth, slide.frame_method = OPACITY, "FRONT", "STRETCH"
    return slide
