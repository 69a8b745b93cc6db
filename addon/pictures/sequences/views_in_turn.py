# SPDX-License-Identifier: GPL-3.0-or-later
"""Views captured one after the other, without a window: each once the picture of the one before is projected, and told
what the projections show of it already."""

import time
from collections.abc import Collection, Sequence
from pathlib import Path

import bpy

from ...capture.frames import at
from ...capture.gathering import SceneKey
from ...capture.instance_walk import Meshes
from ...capture.scene import evaluated
from ...capture.snapshot import Snapshot
from ...cooperative import finish
from ...data_blocks import named
from ...messages.errors import SecondBlenderFailed, TooManyViews
from ...projection.matching import reference_to_match
from ...projection.projectors import MOST, project, projectable
from ...protocol.blockout import Blockout
from ...protocol.strict_json import loads
from ...protocol.views import FrameFile, TurnPicture
from ...request.references import following

POLL = 0.05  # seconds between two looks whether a picture has come


def check_cameras(names: Collection[str]) -> None:
    """Raises TooManyViews for more than a scene can have projected."""
    if len(names) > MOST:
        raise TooManyViews(f"{len(names)} cameras are more than {MOST} views.", "Name those that matter most.")


def view_request(
    scene: bpy.types.Scene, camera: bpy.types.Object, snapshot: Snapshot, request: Blockout, out: Path
) -> Blockout:
    """The request of a view as one that goes on with what is projected; that picture lies in ``out``, by its sha256.

    Raises as ``projectable`` does: what could not be projected need not be painted.
    """
    projectable(scene, evaluated(scene), camera)
    key = SceneKey(scene.session_uid, camera.session_uid)
    reference = finish(reference_to_match(key, Meshes(), snapshot, out))
    return request if reference is None else following(request, reference)


def take_in(scene: bpy.types.Scene, camera: bpy.types.Object, turn: Path) -> None:
    """Wait for a view's picture, which the file ``turn`` names once it is there, and project it; nothing without one.

    Raises SecondBlenderFailed where whoever paints is gone with the folder. Room was asked for before.
    """
    while not turn.is_file():
        if not turn.parent.is_dir():
            raise SecondBlenderFailed("Nobody paints these views any more.", "Ask for them again.")
        time.sleep(POLL)
    if picture := loads(TurnPicture, turn.read_bytes()).picture:
        project(scene, camera, bpy.data.images.load(picture, check_existing=True))


def project_first(scene: bpy.types.Scene, pictures: Sequence[FrameFile]) -> None:
    """Project the pictures of the first frame, in their order, each from its camera. Raises as ``project`` does."""
    first = min(picture.frame for picture in pictures)
    cameras = [item for item in scene.objects if item.type == "CAMERA"]
    with at(scene, first):
        for picture in pictures:
            camera = named(cameras, picture.camera)
            if picture.frame == first and camera is not None:
                project(scene, camera, bpy.data.images.load(picture.file))  # its own: a background's is many pictures
