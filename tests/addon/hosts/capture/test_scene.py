# SPDX-License-Identifier: MIT
"""Capture of real scenes: what counts, whose it is, where the camera puts it, and that nothing changes."""

import time

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from addon.camera.reader import view
from addon.camera.view import numbers, unmoved
from addon.capture.canvas import canvas, overscan
from addon.capture.scene import evaluated, geometry
from addon.messages.errors import NoCamera, NothingMarked, PanoramicCamera, PhraseMissing, RegionHidden
from addon.protocol.default_model import TOYBOX
from addon.protocol.records import unpack_mask
from addon.protocol.strict_json import dump
from addon.regions.marks import OFF, mark, marks, unmark
from tests.addon.hosts.blockouts import capture
from tests.addon.hosts.sample_scenes import ball, box, camera, fingerprint, fresh, group, instance, render


def look(scene, prompt="a thing", **options):
    return {region.phrase: region for region in capture(scene, prompt=prompt, **options).regions}


def grid(region):
    rows = np.frombuffer(unpack_mask(region.mask), np.uint8)
    return rows.reshape(region.mask.height, region.mask.width) / 255


def iou(one, two):
    return np.minimum(one, two).sum() / np.maximum(one, two).sum()


# Cameras


def wide(scene):
    scene.camera.data.lens = 20


def shifted(scene):
    scene.camera.data.shift_x, scene.camera.data.shift_y = 0.2, -0.1


def flat(scene):
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 7.0


def upright(scene):
    scene.camera.data.sensor_fit = "VERTICAL"


def anamorphic(scene):
    scene.render.pixel_aspect_x, scene.render.resolution_percentage = 2.0, 33


def scaled(scene):
    scene.camera.scale, scene.camera.rotation_euler.y = (2, 2, 2), 0.3


def portrait(scene):
    scene.render.resolution_x, scene.render.resolution_y, scene.render.pixel_aspect_y = 1080, 1920, 1.5


CAMERAS = [wide, shifted, flat, upright, anamorphic, scaled, portrait]


@pytest.mark.parametrize("setting", CAMERAS)
def test_points_fall_where_blender_puts_them(setting, record_property):
    scene = fresh()
    setting(scene)
    graph = evaluated(scene)
    seen = view(scene, scene.camera, graph)
    size = canvas(seen.aspect, TOYBOX)
    points = np.random.default_rng(0).uniform([-3, -2, -2], [3, 2, 2], (200, 3))
    clip = np.c_[points, np.ones(200)] @ (overscan(seen.lens, size).projection @ seen.pose).T
    frame = size.frame
    x = ((clip[:, 0] / clip[:, 3] + 1) / 2 * size.width - frame.left) / frame.width
    y = ((1 - clip[:, 1] / clip[:, 3]) / 2 * size.height - frame.top) / frame.height
    blender = np.array([world_to_camera_view(scene, scene.camera, Vector(point)) for point in points])
    error = np.hypot((x - blender[:, 0]) * 1920, (1 - y - blender[:, 1]) * 1080).max()
    record_property("error_px", float(error))
    assert error < 0.5


@pytest.mark.parametrize("setting", CAMERAS[1:])
def test_centroids_fall_where_blender_puts_them(setting, record_property):
    scene = fresh()
    place = Vector((0.9, 0, -0.5))
    mark(ball("thing", place, 1.0))
    scene.camera.data.lens = 85  # far enough from the ball that its outline's middle is its own
    scene.camera.location.y = -30
    setting(scene)
    x, y = look(scene)["thing"].centroid
    expected = world_to_camera_view(scene, scene.camera, place)
    error = np.hypot((x - expected.x) * 1920, (1 - y - expected.y) * 1080)
    record_property("error_px", float(error))
    assert error < 0.5


def test_the_mask_is_the_coverage_that_cycles_renders(tmp_path, record_property):
    scene = fresh(256, 256)
    mark(ball("thing", (0.5, 0, 0.3), 1.2))
    region = look(scene)["thing"]
    alpha = render(scene, tmp_path / "ball.png", samples=32, transparent=True)[:, :, 3]
    score = iou(grid(region), alpha)
    record_property("iou", float(score))
    assert score > 0.98


def test_curves_text_metaballs_modifiers_and_instances_are_rendered(tmp_path, record_property):
    scene = fresh(256, 256)
    bpy.ops.object.text_add(location=(-3, 0, 1))
    text = bpy.context.object
    text.rotation_euler.x = np.pi / 2
    bpy.ops.curve.primitive_bezier_circle_add(location=(2, 0, 1.5))
    bpy.context.object.rotation_euler.x, bpy.context.object.data.bevel_depth = np.pi / 2, 0.2
    bpy.ops.object.metaball_add(location=(-2, 0, -1.5))
    cube = box("thing", (2, 0, -1.5))
    cube.modifiers.new("Subdivision", "SUBSURF").levels = 2
    cube.modifiers["Subdivision"].render_levels = 2
    source = group("source")
    ball("part", (0, 0, 0), 0.4, home=source)
    for x in (-0.5, 0.5):
        instance(f"instance {x}", source, (x, 0, 0))
    for thing in scene.objects:
        mark(thing, "thing")
    unmark(scene.camera)
    region = look(scene)["thing"]
    alpha = render(scene, tmp_path / "all.png", samples=32, transparent=True)[:, :, 3]
    score = iou(grid(region), alpha)
    record_property("iou", float(score))
    assert score > 0.96


# Whose region


def test_the_phrase_is_the_name_without_its_number_and_the_prompt_is_the_scenes():
    scene = fresh()
    mark(box("Castle.001"))
    scene["maquette_prompt"] = "a castle on a meadow"
    blockout = capture(scene, seed=7, strength=0.5)
    (region,) = blockout.regions
    assert (region.name, region.phrase, region.enforce) == ("Castle.001", "castle", ("shape",))
    assert (blockout.seed, blockout.strength, blockout.steps) == (7, 0.5, TOYBOX.steps)


def test_one_phrase_is_one_region():
    scene = fresh()
    mark(box("left", (-2, 0, 0)), "thing")
    mark(box("right", (2, 0, 0)), "Thing", ["size", "centroid"])
    (region,) = look(scene).values()
    assert region.centroid == pytest.approx((0.5, 0.5), abs=0.002)


def test_an_objects_mark_beats_its_collections_and_the_inner_collection_the_outer():
    scene = fresh()
    outer = group("outer", scene.collection)
    inner = group("inner", outer)
    box("in outer", (-3, 0, 0), home=outer)
    box("in inner", (0, 0, 0), home=inner)
    mark(box("own", (3, 0, 0), home=inner))
    mark(outer)
    mark(inner)
    found = look(scene, "own inner outer")
    middles = [found[name].centroid[0] for name in ("outer", "inner", "own")]
    assert middles == sorted(middles) and middles[1] == pytest.approx(0.5, abs=0.01)


def test_an_instance_is_its_instancers_region_and_a_marked_part_its_own():
    scene = fresh()
    source = group("source")
    mark(box("part", (0, 0, 1), home=source))
    box("rest", (0, 0, -1), home=source)
    instancer = instance("pair", source, (1, 0, 0))
    mark(instancer)
    found = look(scene, "a pair and a part")
    assert found["part"].centroid[1] < 0.5 < found["pair"].centroid[1]
    unmark(instancer)
    mark(source, "pair")
    assert look(scene, "a pair and a part")["pair"].centroid == found["pair"].centroid


def test_unmarked_things_hide_and_unmarking_makes_them_so():
    scene = fresh()
    mark(box("thing", (0, 2, 0), (2, 1, 2)))
    wall = box("wall", (1, 0, 0), (2, 1, 4))
    mark(wall)
    assert len(look(scene, "a wall and a thing")) == 2
    unmark(wall)
    (region,) = look(scene).values()
    assert region.visible < 0.6 and region.centroid[0] < 0.5
    assert list(wall.keys()) == []


# Eyes


def test_a_region_switched_off_is_left_out_and_still_hides():
    scene = fresh()
    mark(box("thing", (0, 2, 0), (2, 1, 2)))
    wall = box("wall", (1, 0, 0), (2, 1, 4))
    mark(wall)
    both = look(scene, "a wall and a thing")
    wall[OFF] = True
    (region,) = look(scene, "a thing").values()
    assert dump(region) | {"depth": both["thing"].depth} == dump(both["thing"])
    wall[OFF] = False
    assert dump(look(scene, "a wall and a thing")["wall"]) == dump(both["wall"])


def test_what_is_switched_off_in_a_collection_is_not_the_collections():
    scene = fresh()
    home = group("home", scene.collection)
    box("left", (-2, 0, 0), home=home)
    right = box("right", (2, 0, 0), home=home)
    mark(home)
    mark(right)
    right[OFF] = True
    assert look(scene, "a home")["home"].centroid[0] < 0.5


def test_one_eye_of_a_shared_phrase():
    scene = fresh()
    mark(box("left", (-2, 0, 0)), "thing")
    right = box("right", (2, 0, 0))
    mark(right, "thing")
    assert look(scene)["thing"].centroid[0] == pytest.approx(0.5, abs=0.01)
    right[OFF] = True
    assert look(scene)["thing"].centroid[0] < 0.4


def test_all_eyes_closed_is_said():
    scene = fresh()
    thing = box("thing")
    mark(thing)
    thing[OFF] = True
    with pytest.raises(NothingMarked, match="switched off"):
        look(scene)
    unmark(thing)
    assert list(thing.keys()) == []


# What a render shows


def unrendered(scene, wall):
    wall.hide_render = True


def unseen(scene, wall):
    wall.visible_camera = False


def unrendered_collection(scene, wall):
    home = move(scene, wall)
    home.hide_render = True


def indirect(scene, wall):
    move(scene, wall)
    bpy.context.view_layer.layer_collection.children["home"].indirect_only = True


def excluded(scene, wall):
    move(scene, wall)
    bpy.context.view_layer.layer_collection.children["home"].exclude = True


def instanced_but_unrendered(scene, wall):
    home = move(scene, wall)
    home.hide_render = True
    scene.collection.children.unlink(home)
    instance("instancer", home, (0, 0, 0))


def move(scene, thing):
    home = group("home", scene.collection)
    home.objects.link(thing)
    scene.collection.objects.unlink(thing)
    return home


@pytest.mark.parametrize(
    "hide", [unrendered, unseen, unrendered_collection, indirect, excluded, instanced_but_unrendered]
)
def test_what_a_render_does_not_show_hides_nothing(hide):
    scene = fresh()
    mark(box("thing", (0, 2, 0), (2, 1, 2)))
    wall = box("wall", (0, 0, 0), (9, 1, 9))
    with pytest.raises(RegionHidden):
        look(scene)
    hide(scene, wall)
    assert look(scene)["thing"].visible == 1.0


def test_a_marked_thing_that_is_only_scattered_any_more_is_no_region():
    scene = fresh()
    mark(box("thing", (0, 0, 0)))
    tree = box("tree", (3, 0, 0))
    mark(tree)
    nodes = bpy.data.node_groups.new("scatter", "GeometryNodeTree")
    nodes.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    source, end = nodes.nodes.new("GeometryNodeObjectInfo"), nodes.nodes.new("NodeGroupOutput")
    source.inputs["Object"].default_value, source.inputs["As Instance"].default_value = tree, True
    nodes.links.new(source.outputs["Geometry"], end.inputs[0])
    box("ground", (-3, 0, 0)).modifiers.new("scatter", "NODES").node_group = nodes
    scene.collection.objects.unlink(tree)
    bpy.context.view_layer.update()
    shown = [instance.object.original.name for instance in evaluated(scene).object_instances if instance.is_instance]
    assert "tree" in shown
    assert list(look(scene)) == ["thing"]


def test_a_view_stays_the_same_whatever_its_clip_planes_and_its_rounding():
    scene = fresh()
    scene.render.resolution_x, scene.render.resolution_y = 1920, 1080

    def seen():
        bpy.context.view_layer.update()
        return numbers(view(scene, scene.camera, evaluated(scene)))

    before = seen()
    scene.camera.data.clip_end, scene.render.resolution_percentage = 5000.0, 33
    assert unmoved(seen(), before)
    for change in (
        lambda: setattr(scene.camera.data, "lens", scene.camera.data.lens * 1.01),
        lambda: setattr(scene.camera.data, "shift_x", 0.01),
        lambda: setattr(scene.render, "resolution_y", 1000),
        lambda: setattr(scene.camera, "location", scene.camera.location + Vector((0.001, 0.0, 0.0))),
    ):
        change()
        after = seen()
        assert not unmoved(after, before)
        before = after


@pytest.mark.parametrize("by", ["object", "collection"])
def test_a_holdout_hides_and_is_no_region(by):
    scene = fresh()
    mark(box("thing", (0, 2, 0), (2, 1, 2)))
    wall = box("wall", (1, 0, 0), (2, 1, 4))
    mark(wall)
    move(scene, wall)
    if by == "object":
        wall.is_holdout = True
    else:
        bpy.context.view_layer.layer_collection.children["home"].holdout = True
    with pytest.raises(RegionHidden, match="wall"):
        look(scene, "a thing, a wall")
    unmark(wall)
    assert look(scene)["thing"].visible < 0.6


# Errors


def test_no_camera_a_panorama_and_nothing_marked_are_said():
    scene = fresh()
    with pytest.raises(NothingMarked):
        capture(scene, prompt="a thing")
    mark(box("thing"))
    with pytest.raises(PhraseMissing):
        capture(scene)
    scene.camera.data.type = "PANO"
    with pytest.raises(PanoramicCamera, match="Camera"):
        capture(scene, prompt="a thing")
    scene.camera = None
    with pytest.raises(NoCamera):
        capture(scene, prompt="a thing")


# Frames, scenes, cameras that are not the current ones


def test_another_frame_is_captured_and_left_again():
    scene = fresh()
    thing = box("thing", (-2, 0, 0))
    mark(thing)
    thing.keyframe_insert("location", frame=1)
    thing.location.x = 2
    thing.keyframe_insert("location", frame=20)
    scene.frame_set(1)
    before = fingerprint()
    assert look(scene, frame=20)["thing"].centroid[0] > 0.5 > look(scene)["thing"].centroid[0]
    assert fingerprint() == before


def test_another_scene_and_another_camera():
    scene = fresh()
    thing = box("thing")
    mark(thing)
    other = bpy.data.scenes.new("other")
    other.collection.objects.link(thing)
    side = camera(scene, (8, -6, 0), (2, 0, 0), "Side")
    other.collection.objects.link(side)
    assert capture(other, side, prompt="a thing").regions[0].centroid[0] < 0.49
    assert bpy.context.scene == scene


# What it leaves behind, and what it costs


def test_a_capture_changes_nothing(tmp_path):
    fresh()
    mark(ball("thing"))
    box("wall", (1, 0, 0))
    bpy.ops.object.text_add()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    before = fingerprint()
    capture(bpy.context.scene, prompt="a thing")
    after = fingerprint()
    assert len(before) > 500
    assert {key: after.get(key) for key in before if after.get(key) != before[key]} == {} and len(after) == len(before)


def test_a_hundred_thousand_triangles_take_half_a_second(record_property):
    scene = fresh(512, 512)
    mark(ball("thing", (-1, 0, 0), 1.5, rings=112))
    mark(ball("other", (1, 1, 0), 1.5, rings=112), "one")
    scene.camera.location.y = -8

    def seconds():
        start = time.process_time()
        capture(scene, prompt="one thing")
        return time.process_time() - start

    graph = evaluated(scene)
    count = len(geometry(scene, graph, view(scene, scene.camera, graph)).triangles)
    best = min(seconds() for _ in range(4))
    record_property("seconds", best)
    record_property("triangles", count)
    assert count > 100_000
    assert best < 0.5


def test_marks_are_listed_in_a_stable_order():
    scene = fresh()
    home = group("home", scene.collection)
    mark(home)
    mark(box("b"))
    mark(box("a"))
    assert [found.phrase for found in marks(scene)] == [found.phrase for found in marks(scene)]
    assert {found.phrase for found in marks(scene)} == {"a", "b", "home"}
