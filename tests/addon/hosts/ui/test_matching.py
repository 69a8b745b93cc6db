# SPDX-License-Identifier: MIT
"""What the projected views show becomes a picture on disk, and a mask of what of it stays."""

from hashlib import sha256

import bpy
import numpy as np

from addon.capture.gathering import SceneKey
from addon.capture.scene import capture
from addon.cooperative import finish
from addon.projection.projectors import project
from addon.protocol.blockout import mask_rows
from addon.request.settings import Settings
from addon.ui.operators.request.matching import reference_to_match
from tests.addon.hosts.projection.sample_projection import flat, staged
from tests.addon.hosts.sample_scenes import camera


def test_another_view_is_told_and_its_own_is_not(tmp_path):
    scene = staged()
    project(scene, scene.camera, flat((1.0, 0.0, 0.0)))
    second = camera(scene, (3, -9, 3), (0, 0, 0), "Second")
    told = {}
    for eye in (scene.camera, second):
        snapshot = capture(scene, Settings(prompt="a box and a ball"), camera=eye)
        key = SceneKey(scene.session_uid, eye.session_uid)
        told[eye.name] = finish(reference_to_match(key, {}, snapshot, tmp_path))
    assert told["Camera"] is None
    reference = told["Second"]
    file = tmp_path / f"{reference.picture}.png"
    assert sha256(file.read_bytes()).hexdigest() == reference.picture
    kept = np.asarray(mask_rows(reference.shown))
    assert 0.02 < (kept == 255).mean() < 0.5 and set(np.unique(kept)) == {0, 255}
    image = bpy.data.images.load(str(file))
    assert tuple(image.size) == (snapshot.canvas.width, snapshot.canvas.height)
