# SPDX-License-Identifier: GPL-3.0-or-later
"""A painted sequence in the scene: behind its cameras, each frame's picture at its frame, or as strips."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy

from ...camera.reader import camera_data
from ...compat import image_strips
from ...data_blocks import named
from ...messages.errors import SequenceUnusable
from ...projection.materials import check
from ...session.sequence import PictureSequence, SequenceFrame, by_camera
from ..camera_background import background
from .frame_files import consecutive


def behind_cameras(
    scene: bpy.types.Scene, pictures: Mapping[str, Sequence[SequenceFrame]], folder: Path
) -> tuple[str, ...]:
    """Show each camera's ``pictures`` of a ``folder`` over what it sees, frame by frame; the cameras that are gone from
    the scene.

    Raises LockedObject, SequenceUnusable for cameras of one lens, OSError, RuntimeError for a file that is gone: before
    any camera has changed.
    """
    by_name = cameras_named(scene, pictures)
    _check_apart(by_name.values())
    check([camera_data(camera) for camera in by_name.values()])
    files = {name: consecutive(folder, pictures[name]) for name in by_name}
    images = {name: bpy.data.images.load(str(paths[0]), check_existing=True) for name, paths in files.items()}
    for name, camera in by_name.items():
        layer = background(camera, images[name])
        if len(files[name]) > 1:
            images[name].source = "SEQUENCE"
            user = layer.image_user
            user.frame_start, user.frame_duration = pictures[name][0].frame, len(files[name])
            user.frame_offset = int(files[name][0].stem) - 1  # the number of its first file counts from one
            user.use_auto_refresh = True
    return tuple(name for name in pictures if name not in by_name)


def cameras_named(scene: bpy.types.Scene, names: Iterable[str]) -> dict[str, bpy.types.Object]:
    """Those of the names that cameras of the scene have, with their cameras."""
    cameras = [item for item in scene.objects if item.type == "CAMERA"]
    return {name: camera for name in names if (camera := named(cameras, name)) is not None}


def _check_apart(cameras: Iterable[bpy.types.Object]) -> None:
    """Raise SequenceUnusable for two that share a lens, as Alt D leaves them: what is behind them belongs to it."""
    seen: dict[bpy.types.Camera, str] = {}
    for camera in cameras:
        other = seen.setdefault(camera_data(camera), camera.name)
        if other != camera.name:
            message = f"{other} and {camera.name} share their lens, and with it what is behind them."
            fix = "Give each its own (Object > Relations > Make Single User > Object & Data), or press As Strips."
            raise SequenceUnusable(message, fix)


def as_strips(scene: bpy.types.Scene, sequence: PictureSequence) -> tuple[str, ...]:
    """A strip for each camera's pictures in the scene's sequencer, above what is there; their names. Raises OSError."""
    editor = scene.sequence_editor or scene.sequence_editor_create()
    strips = image_strips(editor)
    channel = max((strip.channel for strip in strips), default=0)
    names = []
    for number, (name, frames) in enumerate(by_camera(sequence.frames).items(), 1):
        files = consecutive(sequence.folder, frames)
        names.append(_strip(strips, f"{sequence.title}, {name}", files, channel + number, frames).name)
    return tuple(names)


def _strip(strips: Any, name: str, files: Sequence[Path], channel: int, frames: Sequence[SequenceFrame]) -> Any:
    strip = strips.new_image(name, str(files[0]), channel, frames[0].frame)
    for file in files[1:]:
        strip.elements.append(file.name)
    strip.frame_final_duration = len(files)
    return strip
