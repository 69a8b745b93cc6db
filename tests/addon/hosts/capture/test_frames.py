# SPDX-License-Identifier: MIT
"""Another frame is seen as a render of it would, and left as it was."""

import bpy

from addon.compat import curves
from addon.regions.marks import mark
from tests.addon.hosts.capture.sample_cameras import look
from tests.addon.hosts.sample_scenes import box, camera, fresh, mesh, put


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
