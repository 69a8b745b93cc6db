# SPDX-License-Identifier: MIT
"""Exact capture: what Cycles' Cryptomatte says of real scenes, and that a render's geometry counts."""

from functools import partial

import bpy
import numpy as np
import pytest

from addon.camera.view import View
from addon.compat import image_strips
from addon.exact import cryptomatte
from addon.exact.capture import _refuse_shared, exactly, look_through, only_layer, render_layers
from addon.exact.second_blender import alike
from addon.messages.errors import ExactFailed, RegionHidden
from addon.raster.lens import Lens
from addon.raster.zbuffer import NOTHING
from addon.regions.marks import mark
from addon.request.phrases import Mark
from tests.addon.hosts.blockouts import capture
from tests.addon.hosts.capture.sample_cameras import anamorphic, flat, shifted, upright
from tests.addon.hosts.sample_scenes import ball, box, fresh, group, instance


def live(scene, prompt="a thing"):
    return {region.phrase: region for region in capture(scene, prompt=prompt).regions}


def exact(scene, prompt="a thing", **options):
    return {region.phrase: region for region in capture(scene, prompt=prompt, look=partial(exactly, **options)).regions}


def material(thing, build):
    """A material whose surface ``build`` makes of its node tree."""
    made = bpy.data.materials.new(thing.name)
    if made.node_tree is None:
        made.use_nodes = True
    nodes = made.node_tree.nodes
    made.node_tree.links.new(build(made.node_tree).outputs[0], nodes["Material Output"].inputs["Surface"])
    thing.data.materials.append(made)


def clear(tree):
    return tree.nodes.new("ShaderNodeBsdfTransparent")


@pytest.mark.parametrize("setting", [shifted, flat, upright, anamorphic])
def test_the_render_looks_through_the_very_camera(setting, record_property):
    scene = fresh()
    mark(ball("thing", (0.4, 0, -0.3), 1.3))
    setting(scene)
    one = live(scene)["thing"]
    other = exact(scene)["thing"]
    overlap = alike(one, other)
    record_property("iou", overlap)
    assert overlap > 0.98
    assert np.allclose(one.centroid, other.centroid, atol=0.002)
    assert one.size == pytest.approx(other.size, rel=0.02)


def test_any_lens_is_a_camera():
    scene = fresh()
    rng = np.random.default_rng(0)
    for perspective in (True, False):
        projection = np.diag([rng.uniform(0.1, 4), rng.uniform(0.1, 4), -1.0, 0.0 if perspective else 1.0])
        projection[:2, 2 if perspective else 3] = rng.uniform(-0.5, 0.5, 2)
        projection[3, 2] = -1.0 if perspective else 0.0
        pose = np.linalg.inv(np.array(scene.camera.matrix_world))
        look_through(scene, View(pose, Lens(projection, 0.1, 100.0), 1.0), 242, 132)
        bpy.context.view_layer.update()
        graph, render = bpy.context.evaluated_depsgraph_get(), scene.render
        aspects = {"scale_x": render.pixel_aspect_x, "scale_y": render.pixel_aspect_y}
        found = np.array(scene.camera.calc_matrix_camera(graph, x=242, y=132, **aspects))
        assert np.allclose(found[:2], projection[:2], atol=1e-5)
        assert np.allclose(np.linalg.inv(np.array(scene.camera.matrix_world)), pose, atol=1e-5)


def test_what_only_a_render_has_counts(record_property):
    scene = fresh(256, 256)
    smooth = box("thing", (0, 0, 0), (3, 3, 3))
    smooth.modifiers.new("Subdivision", "SUBSURF").levels = 0
    smooth.modifiers["Subdivision"].render_levels = 4
    screen = box("screen", (0, -3, -2), (9, 0.1, 4))
    material(screen, clear)
    mark(smooth)
    one = live(scene)["thing"]
    other = exact(scene)["thing"]
    record_property("iou", alike(one, other))
    assert alike(one, other) < 0.6  # the screen hides nothing, and a box is no ball
    assert other.visible > 0.99
    assert other.size < 0.8 * live(fresh_box())["thing"].size


def fresh_box():
    """The box as it would be without its modifier and its screen."""
    scene = fresh(256, 256)
    mark(box("thing", (0, 0, 0), (3, 3, 3)))
    return scene


def test_hair_is_part_of_the_thing():
    scene = fresh(256, 256)
    thing = ball("thing", (0, 0, 0), 1.0, 8)
    mark(thing)
    bald = exact(scene)["thing"]
    scene = fresh(256, 256)
    thing = ball("thing", (0, 0, 0), 1.0, 8)
    mark(thing)
    thing.modifiers.new("Hair", "PARTICLE_SYSTEM")
    settings = thing.particle_systems[0].settings
    settings.type, settings.count, settings.hair_length = "HAIR", 3000, 1.0
    hairy = exact(scene)["thing"]
    assert hairy.size > 1.3 * bald.size
    assert hairy.visible == 1.0


def test_a_viewport_secret_is_rendered_and_a_render_secret_is_not():
    scene = fresh(256, 256)
    thing, screen = ball("thing"), box("screen", (0, -3, 0), (9, 0.1, 9))
    mark(thing)
    thing.hide_viewport = screen.hide_render = True
    with pytest.raises(RegionHidden):
        live(scene)
    assert exact(scene)["thing"].size > 0.05


def test_instances_of_one_object_are_told_apart():
    scene = fresh(512, 256)
    source = group("source")
    ball("leaf", (0, 0, 0), 1.0, collection=source)
    for name, x in (("left thing", -2.5), ("right thing", 2.5)):
        mark(instance(name, source, (x, 0, 0)))
    prompt = "a left thing and a right thing"
    before, after = live(scene, prompt), exact(scene, prompt)
    for phrase in before:
        assert alike(before[phrase], after[phrase]) > 0.97


@pytest.mark.parametrize("way", ["nodes", "particles", "particles of a collection"])
def test_what_several_regions_scatter_is_told_apart(way):
    def staged():
        scene = fresh(512, 256)
        leaves = group("leaves", scene.collection)
        leaf = ball("leaf", (0, 60, 0), 0.4, 12, leaves)
        settings = None
        for name, x in (("left thing", -2.5), ("right thing", 2.5)):
            if way == "nodes":
                mark(sown(name, x, leaf))
                continue
            settings = sprinkled(name, x, leaf if way == "particles" else leaves, settings)
            mark(scene.objects[name])
        bpy.context.view_layer.update()
        return scene

    prompt = "a left thing and a right thing"
    before, after = live(staged(), prompt), exact(staged(), prompt)
    for phrase in before:
        assert alike(before[phrase], after[phrase]) > 0.95


def sprinkled(name, x, source, settings):
    """A ball with particles that are leaves; their settings, which several share."""
    thing = ball(name, (x, 0, 0), 1.2, 8)
    thing.modifiers.new("Leaves", "PARTICLE_SYSTEM")
    if settings is not None:
        thing.particle_systems[0].settings = settings
        return settings
    settings = thing.particle_systems[0].settings
    settings.type, settings.count, settings.particle_size, settings.hair_length = "HAIR", 60, 1.0, 1.0
    if isinstance(source, bpy.types.Collection):
        settings.render_type, settings.instance_collection = "COLLECTION", source
    else:
        settings.render_type, settings.instance_object = "OBJECT", source
    return settings


def test_strips_of_the_artist_s_are_not_rendered_instead(tmp_path):
    scene = fresh()
    mark(ball("thing", (0, 0, 0), 1.3))
    picture = bpy.data.images.new("strip", 8, 8)
    picture.save(filepath=str(tmp_path / "0001.png"))
    image_strips(scene.sequence_editor_create()).new_image("strip", str(tmp_path / "0001.png"), 1, 1)
    assert scene.render.use_sequencer
    assert exact(scene)["thing"].visible == pytest.approx(1.0, abs=0.01)


def test_what_cannot_be_told_apart_is_said():
    marks = [Mark("Left", "left thing"), Mark("Right", "right thing")]
    with pytest.raises(ExactFailed, match=r"leaf is instanced in several regions: the rest and right thing\."):
        _refuse_shared({"leaf": {NOTHING, 1}, "box": {0}}, marks)


def sown(name, x, leaf):
    """A box with an instance of ``leaf`` at each corner, by geometry nodes."""
    thing = box(name, (x, 0, 0), (2, 2, 2))
    tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    kinds = ("NodeGroupInput", "GeometryNodeInstanceOnPoints", "GeometryNodeObjectInfo", "NodeGroupOutput")
    start, scatter, info, end = (tree.nodes.new(kind) for kind in kinds)
    info.inputs["Object"].default_value = leaf
    info.inputs["As Instance"].default_value = True
    tree.links.new(start.outputs[0], scatter.inputs["Points"])
    tree.links.new(info.outputs["Geometry"], scatter.inputs["Instance"])
    tree.links.new(scatter.outputs[0], end.inputs[0])
    thing.modifiers.new("Sow", "NODES").node_group = tree
    return thing


def test_a_scene_with_freestyle_is_captured_without_its_lines():
    scene = fresh(256, 256)
    mark(ball("thing"))
    plain = exact(scene)["thing"]
    scene.render.use_freestyle = True  # by which Blender ended, where no picture was painted
    assert alike(exact(scene)["thing"], plain) > 0.99


def test_what_is_scattered_inside_an_instanced_collection_counts_in_the_view_as_in_a_render():
    scene = fresh(256, 256)
    tree, assets = group("tree"), group("assets")
    leaf = ball("leaf", (0, 0, 0), 0.6, 12, assets)
    trunk = sown("trunk", 0.0, leaf)
    scene.collection.objects.unlink(trunk)
    tree.objects.link(trunk)
    mark(instance("thing", tree, (0, 0, 0)))
    bpy.context.view_layer.update()
    view, render = live(scene)["thing"], exact(scene)["thing"]
    assert view.size == pytest.approx(render.size, rel=0.05) and alike(view, render) > 0.95


def test_the_named_view_layer_is_rendered():
    scene = fresh(256, 256)
    mark(ball("thing"))
    scene.view_layers.new("Without").layer_collection.exclude = False
    hidden = group("screen", scene.collection)
    box("screen", (0, -3, 0), (9, 0.1, 9), hidden)
    scene.view_layers["Without"].layer_collection.children["screen"].exclude = True
    assert exact(scene, layer="Without")["thing"].size > 0.05
    with pytest.raises(RegionHidden, match="hidden behind"):
        exact(scene, layer=scene.view_layers[0].name)


def test_names_of_all_kinds_are_found(tmp_path):
    scene = fresh(64, 64)
    names = ['a "quoted", thing', "été ☃", "back\\slash", *(f"thing {number:03}" for number in range(300))]
    for place, name in enumerate(names):
        box(name, ((place % 18 - 8.5) * 0.4, 0, (place // 18 - 8.5) * 0.2), (0.3, 0.3, 0.15))
    only_layer(scene, scene.view_layers[0].name)
    covers = cryptomatte.coverage(render_layers(scene, 4), {name: i for i, name in enumerate(names)}, len(names))
    assert (covers.reshape(len(names), -1).sum(axis=1) > 0).all()
    assert covers.sum(axis=0).max() <= 1.0 + 1e-6
