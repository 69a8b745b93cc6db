# SPDX-License-Identifier: MIT
"""Another frame is seen as a render of it would, and left as it was."""

import bpy
import pytest

from addon.blender_process import CaptureCommand, SceneFile
from addon.capture.frames import bound_camera
from addon.compat import curves
from addon.headless import run
from addon.protocol.blockout import Blockout
from addon.protocol.strict_json import loads
from addon.regions.marks import mark
from tests.addon.hosts.capture.sample_cameras import look
from tests.addon.hosts.sample_scenes import box, camera, fingerprint, fresh, mesh, put


def cut():
    """A scene that looks through Second from frame 50 on."""
    scene = fresh()
    second = camera(scene, (3, -10, 0), (3, 0, 0), "Second")
    mark(box("thing", (1, 0, 0)))
    scene.timeline_markers.new("first", frame=1).camera = scene.camera
    scene.timeline_markers.new("second", frame=50).camera = second
    scene.frame_set(1)
    return scene


def test_a_frame_is_seen_through_the_camera_that_it_binds():
    scene = cut()
    through = {name: look(scene, camera=scene.objects[name])["thing"].centroid for name in ("Camera", "Second")}
    assert look(scene, frame=50)["thing"].centroid == through["Second"] != through["Camera"]
    assert look(scene, frame=50, camera=scene.objects["Camera"])["thing"].centroid == through["Camera"]
    assert scene.camera.name == "Camera"


def test_a_camera_that_no_marker_binds_is_put_back():
    scene = cut()
    scene.timeline_markers.remove(scene.timeline_markers["first"])
    scene.camera = scene.objects["Camera"]
    look(scene, frame=50)
    assert scene.camera.name == "Camera"


def test_what_an_artist_set_without_a_key_is_put_back():
    scene = fresh()
    thing = put("thing", mesh([(-1, 0, -1), (1, 0, -1), (0, 0, 1)], [(0, 1, 2)], "thing"), (0, 0, 0))
    mark(thing)
    thing["power"] = 1.0
    for path in ("location", "hide_render", '["power"]'):
        thing.keyframe_insert(path, frame=1)
    material = bpy.data.materials.new("paint")
    thing.data.materials.append(material)
    if material.node_tree is None:
        material.use_nodes = True
    socket = material.node_tree.nodes["Principled BSDF"].inputs["Roughness"]
    socket.keyframe_insert("default_value", frame=1)
    assert len(list(curves(thing.animation_data))) == 5
    scene.frame_set(5)
    thing.location.x, thing["power"], socket.default_value = 0.5, 3.0, 0.25
    bpy.context.view_layer.update()
    before = look(scene)["thing"].centroid
    assert look(scene, frame=9)["thing"].centroid != before
    assert (thing.location.x, thing["power"], socket.default_value) == (0.5, 3.0, 0.25)
    assert scene.frame_current == 5
    assert look(scene)["thing"].centroid == before


def test_a_frame_that_is_there_already_is_seen_through_the_camera_that_it_binds():
    """As renders see it, whichever camera a script or an artist has chosen since."""
    scene = cut()
    through = look(scene, camera=scene.objects["Second"])["thing"].centroid
    scene.frame_set(50)
    scene.camera = scene.objects["Camera"]
    assert look(scene, frame=50)["thing"].centroid == through
    assert scene.camera.name == "Camera"
    assert look(scene)["thing"].centroid != through


@pytest.mark.parametrize("frame", [0, 1, 49, 50, 51, 99])
def test_the_camera_that_is_bound_is_the_one_that_blender_binds(frame):
    scene = cut()
    scene.timeline_markers.new("none", frame=60)
    scene.frame_set(frame)
    assert bound_camera(scene) == scene.camera


def meddle(scene, *_):
    """What a script in a file does at each frame."""
    thing = scene.objects["thing"]
    thing.location.x = scene.frame_current * 0.01
    thing["count"] = thing.get("count", 0) + 1
    thing.data = bpy.data.meshes["thing" if scene.frame_current < 50 else "other"]
    thing.modifiers["Array"].count = scene.frame_current
    scene.camera.data.lens = 50 + scene.frame_current
    bpy.data.materials["paint"].node_tree.nodes["Value"].outputs[0].default_value = scene.frame_current


def test_what_scripts_do_at_a_frame_is_undone():
    scene = cut()
    thing = scene.objects["thing"]
    mesh([(0, 0, 0), (1, 0, 0), (0, 0, 1)], [(0, 1, 2)], "other").use_fake_user = True
    thing.modifiers.new("Array", "ARRAY").count = 3
    thing["count"], thing.location.x = 7, 0.25
    material = bpy.data.materials.new("paint")
    if material.node_tree is None:
        material.use_nodes = True
    material.node_tree.nodes.new("ShaderNodeValue").outputs[0].default_value = 0.5
    thing.data.materials.append(material)
    bpy.context.view_layer.update()
    before, centroid = fingerprint(), look(scene)["thing"].centroid
    bpy.app.handlers.frame_change_post.append(meddle)
    try:
        there = look(scene, frame=60)["thing"].centroid
    finally:
        bpy.app.handlers.frame_change_post.remove(meddle)
    assert there != centroid
    assert thing["count"] == 7
    after = fingerprint()
    changed = {key: (before.get(key), after.get(key)) for key in before if before.get(key) != after.get(key)}
    assert not changed, "\n".join(map(str, changed.items()))
    assert look(scene)["thing"].centroid == centroid


def test_a_file_that_is_opened_is_seen_through_the_camera_that_its_frame_binds(tmp_path):
    """Whichever camera the file looks through; a render of it changes to the one that a marker binds."""
    scene, file, out = cut(), tmp_path / "cut.blend", tmp_path / "out.json"
    scene["maquette_prompt"] = "a thing"
    scene.frame_set(50)
    through = look(scene)["thing"].centroid
    scene.camera = scene.objects["Camera"]
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    assert run(CaptureCommand(source=SceneFile(path=file), out=out).words()) == 0
    assert loads(Blockout, out.read_bytes()).regions[0].centroid == through
    named = SceneFile(path=file, camera="Camera")
    assert run(CaptureCommand(source=named, out=out).words()) == 0
    assert loads(Blockout, out.read_bytes()).regions[0].centroid != through
