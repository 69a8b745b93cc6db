# SPDX-License-Identifier: MIT
"""What lies beside a batch's pictures: depth, masks, and a copy of the scene that shows them."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from addon.exact import exr
from addon.projection.depth import FAR
from server.batch.manifest import read_rows
from server.cli.main import main
from tests.server.batch.batches import MEADOW

SHOWN = """
import bpy, json, sys
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
(layer,) = bpy.context.scene.camera.data.background_images
user = layer.image_user
print(json.dumps([layer.image.source, layer.image.filepath, user.frame_start, user.frame_duration, user.frame_offset]))
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory, served):
    """Two frames of the meadow, with all that can lie beside them."""
    folder = tmp_path_factory.mktemp("night") / "out"
    words = ["--frames", "1-2", "--depth", "--masks", "--scenes", "--seeds", "3,4", "--set", "steps=1"]
    connection = str(served.home / "connection.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAQUETTE_HOME", str(served.home))
        code = main(["batch", str(MEADOW), *words, "--server", connection, "--out", str(folder)])
    assert code == 0
    return folder


def test_depth_is_of_the_picture_s_size_and_knows_what_is_far(out) -> None:
    picture = out / "meadow/Camera/seed0003/0001.png"
    (part,) = exr.read(picture.with_name("0001.depth.exr"))
    (depth,) = part.channels.values()
    with Image.open(picture) as image, Image.open(picture.with_name("0001.objects.png")) as objects:
        assert depth.shape == (image.height, image.width) and objects.size == image.size
        regions = np.asarray(objects) > 0
    near = (depth[regions] > 0.1) & (depth[regions] < 1000.0)
    assert near.mean() > 0.97  # on a silhouette the middle of a pixel may see past it
    assert np.any(depth >= FAR * 0.99)


def test_the_scene_s_copy_plays_the_pictures_behind_its_camera(out) -> None:
    words = [sys.executable, "-c", SHOWN, str(out / "meadow" / "scene.blend")]
    finished = subprocess.run(words, capture_output=True, text=True, timeout=100, check=True)
    source, path, *numbers = json.loads(finished.stdout.splitlines()[-1])
    assert (source, numbers) == ("SEQUENCE", [1, 2, 0])
    assert path == "//Camera/seed0003/0001.png"
    assert len(read_rows(out)) == 4
