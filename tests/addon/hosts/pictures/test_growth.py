# SPDX-License-Identifier: MIT
"""A working day in one .blend: whatever is painted, shown and projected, the file holds the picture and eight views."""

import json
import shutil

import bpy
import numpy as np
import pytest

from addon.pictures import gallery
from addon.pictures.history import Entry
from addon.pictures.image import ENTRY, drop_unused, load_picture, make_current, remove
from addon.projection.projectors import MOST, project, projectors, remove_projectors
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import dump
from addon.regions.marks import mark
from addon.request.settings import Settings
from tests.addon.hosts.blockouts import capture
from tests.addon.hosts.sample_scenes import box, fresh

SIDE = 96
DAY = 14  # pictures
PICTURE = SIDE * SIDE * 3  # bytes that noise takes, packed


@pytest.fixture(autouse=True)
def history():
    gallery.register()
    yield
    gallery.unregister()


def noise(folder, number):
    """A picture that no compression makes smaller, as a file of the history."""
    image = bpy.data.images.new("p", SIDE, SIDE)
    pixels = np.random.default_rng(number).random(SIDE * SIDE * 4).astype(np.float32)
    pixels[3::4] = 1.0
    image.pixels.foreach_set(pixels)
    path = folder / f"{number:064x}.png"
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def saved(folder):
    """The size of the file as it stands, in bytes."""
    path = folder / "scene.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, compress=False)
    return path.stat().st_size


def take(scene, folder, number, request):
    """A picture arrives, is remembered and made current, as in the panel."""
    path = noise(folder, number)
    image = load_picture(path, json.dumps(dump(request)), (), (0.0,) * 32, scene.camera)
    image[ENTRY] = path.stem
    entry = Entry(name=path.stem, created=0.0, request=request, settings=Settings(), pose=(0.0,) * 32, thumb="")
    gallery.remember(scene, entry)
    make_current(scene, image, request)
    drop_unused(folder, image)
    return image


def work(scene, folder, request: Blockout):
    """Pictures from eight places in turn, each projected; the sizes of the file after each."""
    sizes = []
    for number in range(DAY):
        scene.camera.location.x = number % MOST - 3.5
        bpy.context.view_layer.update()
        image = take(scene, folder, number, request)
        if len(projectors(scene)) == MOST:
            remove_projectors(projectors(scene)[:1])
        project(scene, scene.camera, image)
        sizes.append(saved(folder))
    return sizes


def test_a_day_s_work_weighs_eight_views_and_a_picture(tmp_path):
    scene = fresh(256, 256)
    mark(box("castle", size=(3, 3, 3)), "castle")
    request = capture(scene, prompt="a castle")
    empty, sizes = saved(tmp_path), work(scene, tmp_path, request)
    each = (sizes[MOST - 1] - empty) / MOST
    assert each > PICTURE, "each view is in the file, or this test would weigh nothing"
    assert max(sizes[MOST:]) < sizes[MOST - 1] + PICTURE + DAY * 2**12, "no more than another picture, and its words"
    ours = [image for image in bpy.data.images if image.get(ENTRY) is not None]
    assert len(ours) <= MOST + 1

    remove(scene)
    assert saved(tmp_path) < empty + 2 * PICTURE + DAY * 2**12
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert len(bpy.data.images) <= 1 and not bpy.data.node_groups


def test_looking_back_leaves_nothing_in_the_file(tmp_path):
    """Each earlier picture shown again, and taken out of use by the next."""
    scene = fresh(256, 256)
    mark(box("castle", size=(3, 3, 3)), "castle")
    request = capture(scene, prompt="a castle")
    for number in range(DAY):
        take(scene, tmp_path, number, request)
    before = saved(tmp_path)
    for number in range(DAY):
        path = tmp_path / f"{number:064x}.png"
        image = load_picture(path, json.dumps(dump(request)), (), (0.0,) * 32, scene.camera)
        image[ENTRY] = path.stem
        make_current(scene, image, request)
        drop_unused(tmp_path, image)
        assert abs(saved(tmp_path) - before) < PICTURE / 2
    assert len([image for image in bpy.data.images if image.get(ENTRY) is not None]) == 1


def test_a_picture_that_is_nowhere_else_stays(tmp_path):
    """The history on disk was cleared: the file alone has it still."""
    scene = fresh(256, 256)
    mark(box("castle", size=(3, 3, 3)), "castle")
    request = capture(scene, prompt="a castle")
    first = take(scene, tmp_path, 0, request)
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    take(scene, tmp_path, 1, request)
    assert first.name in bpy.data.images and len(gallery.entries(scene)) == 2
