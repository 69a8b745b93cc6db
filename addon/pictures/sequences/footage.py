# SPDX-License-Identifier: GPL-3.0-or-later
"""A painted sequence in the scene: behind its cameras, each frame's picture at its frame, or as strips."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
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
    by_lens: dict[bpy.types.Camera, str] = {}
    for camera in cameras:
        other = by_lens.setdefault(camera_data(camera), camera.name)
        if other != camera.name:
            message = f"{other} and {camera.name} share their lens, and with it what is behind them."
            fix = "Give each its own (Object > Relations > Make Single User > Object & Data), or press Strips."
            raise SequenceUnusable(message, fix)


def as_strips(scene: bpy.types.Scene, sequence: PictureSequence) -> tuple[str, ...]:
    """A strip for each shot in the scene's sequencer, on a channel for each camera, above what is there; their names.

    A shot is of one camera, up to where others have frames between two of its own: so a cut plays as it was cut. A
    frame that was not painted holds the picture before it.
    """
    editor = scene.sequence_editor or scene.sequence_editor_create()
    strips = image_strips(editor)
    channel = max((strip.channel for strip in strips), default=0)
    by_name = by_camera(sequence.frames)
    names = []
    for number, (name, frames) in enumerate(by_name.items(), 1):
        others = {frame.frame for other, pictures in by_name.items() if other != name for frame in pictures}
        title, runs = f"{sequence.title}, {name}", _runs(frames, others)
        names += [_strip(strips, title, sequence.folder, channel + number, run).name for run in runs]
    return tuple(names)


def _runs(frames: Sequence[SequenceFrame], others: Collection[int]) -> list[list[SequenceFrame]]:
    """The frames of one camera, apart where ``others`` have one between two of them and it has none there."""
    runs = [[frames[0]]]
    for before, frame in pairwise(frames):
        if any(number in others for number in range(before.frame + 1, frame.frame)):
            runs.append([])
        runs[-1].append(frame)
    return runs


def _strip(strips: Any, name: str, folder: Path, channel: int, run: Sequence[SequenceFrame]) -> Any:
    first, last = run[0], run[-1]
    strip = strips.new_image(name, str(folder / first.file), channel, first.frame)
    by_number, file = {frame.frame: frame.file for frame in run}, first.file
    for number in range(first.frame + 1, last.frame + 1):
        file = by_number.get(number, file)
        strip.elements.append(Path(file).name)  # of the same folder, for each camera has its own
    strip.frame_final_duration = last.frame - first.frame + 1
    return strip
