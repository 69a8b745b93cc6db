# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture into the artist's scene, and out again: behind the camera, and projected onto the marked objects."""

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import bpy

from ..capture.scene_settings import write
from ..projection.projectors import project, projectors, remove_projectors
from ..protocol.answers import Achieved
from ..protocol.blockout import Blockout
from ..protocol.strict_json import dump
from ..regions.marks import collections
from ..request.settings import stated
from . import history
from .camera_background import background, has_background, remove_background

PICTURE = "maquette_picture"  # on a scene: its current picture
REQUEST, ACHIEVED = "maquette_request", "maquette_achieved"  # these and those below on pictures
CAMERA, POSE, ENTRY = "maquette_camera", "maquette_pose", "maquette_entry"
KEPT = ("prompt", "seed", "steps", "strength", "masks", "emphasis", "noise", "refinement")  # of a request, in its scene
REGIONS = "maquette_regions"  # which Blender this is, the image's own session id, then those of the request's regions


def apply_result(scene: bpy.types.Scene, camera: bpy.types.Object, picture: Path) -> bpy.types.Image:
    """Load ``picture``, an image file of the camera's frame, pack it, show it in the camera and project it.

    Raises as ``background`` and ``project`` do.
    """
    image = _packed(picture)
    background(camera, image)
    project(scene, camera, image)
    return image


def load_picture(
    file: Path,
    request: str,
    achieved: Sequence[Achieved],
    pose: Sequence[float],
    camera: bpy.types.Object | None,
    regions: Sequence[int] = (),
) -> bpy.types.Image:
    """A picture of ours as an image of the .blend, packed, with what it was asked for and what it was seen through.

    ``regions`` are the session ids of what it was asked to show, where they are known: names may change.
    Raises RuntimeError for a file that is gone, or no picture.
    """
    image = _packed(file)
    image.preview_ensure()
    image[REQUEST] = request
    image[ACHIEVED] = json.dumps(dump(achieved))
    image[POSE] = pose
    if camera is not None:
        image[CAMERA] = camera
    if regions:
        image[REGIONS] = " ".join(str(number) for number in (*_this_load(image), *regions))
    return image


def camera_of_picture(image: bpy.types.Image) -> bpy.types.Object | None:
    """The camera that a picture was seen through; None where no scene has it any more."""
    camera = image.get(CAMERA)
    is_in_scene = isinstance(camera, bpy.types.Object) and camera.type == "CAMERA" and bool(camera.users_scene)
    return camera if is_in_scene else None


def pictures_of_entry(entry: str) -> list[bpy.types.Image]:
    """The images of the .blend that are a picture of the history."""
    return [image for image in bpy.data.images if image.get(ENTRY) == entry]


def replace_camera(entry: str, camera: bpy.types.Object) -> None:
    """Have a picture of the history be seen through ``camera`` wherever its own is gone."""
    for image in pictures_of_entry(entry):
        if camera_of_picture(image) is None:
            image[CAMERA] = camera


def drop_unused(folder: Path, latest: bpy.types.Image) -> None:
    """Take earlier pictures out of the .blend that nothing shows or uses; each is in the history's ``folder``, from
    where Show brings it back."""
    ours = [image for image in bpy.data.images if image.get(ENTRY) is not None and image != latest]
    shown = _shown() if ours else set()
    for image in ours:
        if not _is_used(image) and image not in shown and history.picture(folder, image[ENTRY]) is not None:
            bpy.data.images.remove(image)


def _is_used(image: bpy.types.Image) -> bool:
    """Whether a data-block uses it. One that an editor has ever shown keeps a user of its own for that."""
    return image.users > image.use_extra_user


def _shown() -> set[bpy.types.Image | None]:
    """What Image Editors show, those of other workspaces too."""
    spaces = (space for screen in bpy.data.screens for area in screen.areas for space in area.spaces)
    return {space.image for space in spaces if isinstance(space, bpy.types.SpaceImageEditor)}


def regions_of(image: bpy.types.Image) -> tuple[int, ...]:
    """The session ids of the picture's regions, in the order of its request; none once its file was opened again."""
    blender, own, *regions = (int(word) for word in image.get(REGIONS, "0 0").split())
    return tuple(regions) if (blender, own) == _this_load(image) else ()


def _this_load(image: bpy.types.Image) -> tuple[int, int]:
    """Numbers that change when the image's file is opened again, and with them all session ids; undo keeps them.

    The first is of this run of Blender, as its temporary folder is: another run gives the same ids anew.
    """
    return zlib.crc32(bpy.app.tempdir.encode()), image.session_uid


def make_current(scene: bpy.types.Scene, image: bpy.types.Image, request: Blockout) -> None:
    """Make this the scene's picture, and the settings it was painted with the scene's."""
    scene[PICTURE] = image
    write(scene, stated(request, KEPT))


def remove(scene: bpy.types.Scene) -> None:
    """Take projections and backgrounds out of the scene, and give every slot and camera what it had.

    The pictures themselves stay: the scene's latest, and what uses one; others until the file is saved.
    """
    remove_projectors(projectors(scene))
    for camera in {item: None for collection in collections(scene) for item in collection.objects}:
        if has_background(camera):
            remove_background(camera)


def _packed(file: Path) -> bpy.types.Image:
    """An image file, in the .blend itself."""
    image = bpy.data.images.load(str(file))
    image.name = "Maquette"
    image.pack()
    return image
