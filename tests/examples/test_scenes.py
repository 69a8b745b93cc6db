# SPDX-License-Identifier: MIT
"""The example scenes, as they lie in the repository: captured, projected onto, and taken back."""

from pathlib import Path

import bpy
import numpy as np
import pytest

from addon.pictures.image import apply_result, remove
from addon.protocol.blockout import unpack_mask
from tests.addon.hosts.blockouts import capture
from tests.addon.hosts.sample_scenes import fingerprint, paint, render

EXAMPLES = Path(__file__).parents[2] / "examples"
SHAPES = {"meadow": (352, 192), "sea": (256, 256), "desert": (192, 352)}


def opened(name):
    bpy.ops.wm.open_mainfile(filepath=str(EXAMPLES / f"{name}.blend"))
    return bpy.context.scene


@pytest.mark.parametrize(("name", "shape"), SHAPES.items())
def test_an_example_is_a_picture_of_two_things(name, shape):
    scene = opened(name)
    before = fingerprint()
    blockout = capture(scene)
    assert fingerprint() == before
    assert (blockout.width, blockout.height) == shape
    assert len(blockout.regions) == 2
    for region in blockout.regions:
        assert region.phrase in blockout.prompt and region.name == region.phrase
        assert 0.08 <= region.size <= 0.30
        assert region.visible > 0.8
    assert capture(scene) == blockout


@pytest.mark.parametrize("name", SHAPES)
def test_an_example_takes_a_picture_and_gives_it_back(name, tmp_path, record_property):
    scene = opened(name)
    scene.render.resolution_percentage = 20
    blockout = capture(scene)
    width, height = (side // 5 for side in (scene.render.resolution_x, scene.render.resolution_y))
    y, x = np.mgrid[:height, :width]
    picture = np.dstack([0.2 + 0.7 * x / width, 0.5 + 0.2 * np.sin(x / 11), 0.2 + 0.7 * y / height])
    before = fingerprint()
    apply_result(scene, scene.camera, paint(tmp_path / "picture.png", picture))
    remove(scene)
    scene_left = {key for key, value in fingerprint().items() if before.get(key) != value}
    assert {key[:2] for key in scene_left} <= {("file", "images"), ("images", "Maquette"), ("images", "paint")}
    apply_result(scene, scene.camera, tmp_path / "picture.png")
    seen = render(scene, tmp_path / "projected.png", samples=8)[:, :, :3]
    inside = inner(blockout, width, height)
    figure = -10 * np.log10(np.mean((seen[inside] - picture[inside]) ** 2))
    record_property("psnr", float(figure))
    assert figure > 35


def inner(blockout, width, height):
    """Pixels of the frame well inside a mask: the mask's grid is coarser than the render."""
    found = np.zeros((height, width), dtype=bool)
    frame = blockout.frame
    for region in blockout.regions:
        mask = np.frombuffer(unpack_mask(region.mask), np.uint8).reshape(region.mask.height, region.mask.width) == 255
        padded = np.pad(mask, 1)
        rows, columns = mask.shape
        core = np.all([padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0)
        y = (frame.top + (np.arange(height) + 0.5) / height * frame.height) / blockout.height * rows
        x = (frame.left + (np.arange(width) + 0.5) / width * frame.width) / blockout.width * columns
        found |= core[np.ix_(y.astype(int), x.astype(int))]
    return found
