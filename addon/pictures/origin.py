# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a picture was asked for: the scene and camera, found again in an open file."""

import bpy

from ..camera.reader import view
from ..camera.view import numbers
from ..session.task import Origin, Viewpoint


def scene_of(view: Viewpoint) -> bpy.types.Scene | None:
    """The scene that was seen, while its file is open, or open again."""
    found = next((shot for shot in bpy.data.scenes if shot.session_uid == view.scene), None)
    return bpy.data.scenes.get(view.origin.scene) if found is None and _again(view.origin) else found


def camera_of(view: Viewpoint) -> bpy.types.Object | None:
    """The camera it was seen through, likewise."""
    found = next((thing for thing in bpy.data.objects if thing.session_uid == view.camera), None)
    found = bpy.data.objects.get(view.origin.camera) if found is None and _again(view.origin) else found
    return found if found is not None and found.type == "CAMERA" else None


def _again(origin: Origin) -> bool:
    """Whether that file is open now; one that was never saved is none."""
    return bool(origin.file) and origin.file == bpy.data.filepath


def viewpoint(shot: bpy.types.Scene, camera: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> Viewpoint:
    """Where the scene is seen from, to tell later whether the camera has moved since."""
    origin = Origin(file=bpy.data.filepath, scene=shot.name, camera=camera.name)
    pose = numbers(view(shot, camera, depsgraph))
    return Viewpoint(scene=shot.session_uid, camera=camera.session_uid, pose=pose, origin=origin)
