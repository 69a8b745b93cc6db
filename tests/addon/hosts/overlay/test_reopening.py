# SPDX-License-Identifier: MIT
"""A file that is opened again, in the same Blender: its picture's numbers and its regions' colours are as they were."""

import json

import bpy
import pytest

from addon.overlay import edits
from addon.overlay.scene_watcher import SceneWatcher
from addon.pictures.image import PICTURE, load_picture, regions_of
from addon.protocol.strict_json import dump
from addon.regions.listing import rows
from addon.regions.marks import PHRASE, mark, unmark, write
from tests.addon.hosts.blockouts import capture
from tests.addon.hosts.overlay.test_region_measures import exactly, measures
from tests.addon.hosts.overlay.test_scene_watcher import finished, settle
from tests.addon.hosts.sample_scenes import box, fresh


@pytest.fixture
def watcher():
    """What the add-on runs, its handlers included."""
    watcher = SceneWatcher()
    listeners = edits.listen(watcher)
    yield watcher
    edits.unlisten(listeners)


def received(scene, folder, items):
    """A picture that obeys, in the scene as the add-on takes it in: with the session ids of its regions."""
    seen = finished(scene, exactly(scene))
    seen.filepath_raw, seen.file_format = str(folder / "picture.png"), "PNG"
    seen.save()
    request = json.dumps(dump(capture(scene, prompt="a thing and a ghost")))
    uids = [item.session_uid for item in items]
    pose = list(seen["maquette_pose"])
    scene[PICTURE] = load_picture(folder / "picture.png", request, exactly(scene), pose, scene.camera, uids)
    bpy.data.images.remove(seen)
    return scene[PICTURE]


def opened(file):
    bpy.ops.wm.open_mainfile(filepath=str(file))
    return bpy.context.scene


def test_measurements_outlive_the_file_and_ids_do_not(watcher, tmp_path):
    scene, file = fresh(), tmp_path / "scene.blend"
    items = [box("thing", (-1, 0, 0)), box("ghost", (1, 0, 0))]
    for item in items:
        mark(item)
    image = received(scene, tmp_path, items)
    assert regions_of(image) == tuple(item.session_uid for item in items)
    write(items[0], PHRASE, "fort")
    assert measures(scene, watcher)["fort"].picture is not None  # by its id it is the one that was painted
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    assert regions_of(image), "saving is no opening"
    for _ in range(2):
        scene = opened(file)
        assert regions_of(scene[PICTURE]) == ()
        before = measures(scene, watcher)
        assert {phrase: one.picture is not None for phrase, one in before.items()} == {"fort": True, "ghost": True}


def test_undo_keeps_the_ids(tmp_path):
    scene = fresh()
    items = [box("thing", (-1, 0, 0)), box("ghost", (1, 0, 0))]
    for item in items:
        mark(item)
    uids = regions_of(received(scene, tmp_path, items))
    for step in ("received", "moved"):
        bpy.ops.ed.undo_push(message=step)
        bpy.data.objects["thing"].location.x += 0.1
        bpy.context.scene[PICTURE]["another"] = step  # the picture itself is read back
    bpy.ops.ed.undo()
    assert uids and regions_of(bpy.context.scene[PICTURE]) == uids
    bpy.ops.ed.redo()
    assert regions_of(bpy.context.scene[PICTURE]) == uids


def colours(watcher, scene):
    """The colours of the scene's regions by phrase: in list, view, and picture."""
    image = scene[PICTURE]
    settle(watcher, scene, [image])
    listed = {row.phrase: row.colour for row in rows(scene, watcher.palette)}
    drawn = [watcher.scenes[scene.session_uid].figure, watcher.pictures[image.session_uid]]
    return listed, *({label.text.partition(":")[0]: one.colours[label.region] for label in one.labels} for one in drawn)


def test_a_file_has_the_same_colours_whenever_it_is_opened(watcher, tmp_path):
    scene, file = fresh(), tmp_path / "scene.blend"
    items = [box("thing", (-1, 0, 0)), box("ghost", (1, 0, 0))]
    for item in items:
        mark(item)
    received(scene, tmp_path, items)
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    first = colours(watcher, opened(file))
    assert first[1] == first[2]
    other = fresh()
    for number in range(4):
        mark(box(f"other {number}", (number, 0, 0)))
    unmark(bpy.data.objects["other 0"])
    settle(watcher, other)
    for _ in range(2):
        assert colours(watcher, opened(file)) == first
    another = SceneWatcher()  # as a Blender that has only just been started
    assert colours(another, bpy.context.scene) == first
