# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a picture was asked for: its scene and camera in a file that is open now."""

from dataclasses import replace

import bpy

from ..camera.reader import view
from ..camera.view import numbers
from ..data_blocks import named, of_session
from ..regions.marks import marked
from ..session.task import Origin, Viewpoint


def scene_of(view: Viewpoint) -> bpy.types.Scene | None:
    """The scene that was seen, while its file is open, or open again."""
    scene = of_session(bpy.data.scenes, view.scene)
    return named(bpy.data.scenes, view.origin.scene) if scene is None and _is_open(view.origin) else scene


def camera_of(view: Viewpoint) -> bpy.types.Object | None:
    """The camera it was seen through, likewise."""
    camera = of_session(bpy.data.objects, view.camera)
    camera = named(bpy.data.objects, view.origin.camera) if camera is None and _is_open(view.origin) else camera
    return camera if camera is not None and camera.type == "CAMERA" else None


def as_saved(view: Viewpoint) -> Viewpoint:
    """The same, of the file as it is called now, where its scene is in it."""
    scene = of_session(bpy.data.scenes, view.scene)
    if scene is None:
        return view
    camera = of_session(bpy.data.objects, view.camera)
    name = view.origin.camera if camera is None else camera.name_full
    return replace(view, origin=Origin(file=bpy.data.filepath, scene=scene.name_full, camera=name))


def _is_open(origin: Origin) -> bool:
    """Whether that file is open now; one that was never saved is none."""
    return bool(origin.file) and origin.file == bpy.data.filepath


def viewpoint(scene: bpy.types.Scene, camera: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> Viewpoint:
    """Where the scene is seen from, to tell later whether the camera has moved since."""
    origin = Origin(file=bpy.data.filepath, scene=scene.name_full, camera=camera.name_full)
    pose = numbers(view(scene, camera, depsgraph))
    regions: dict[str, int] = {}
    for item, mark in marked(scene):
        if mark.on:
            regions.setdefault(mark.phrase.casefold(), item.session_uid)  # in the order of a request's
    return Viewpoint(
        scene=scene.session_uid,
        camera=camera.session_uid,
        pose=pose,
        origin=origin,
        regions=tuple(regions.values()),
    )
