# SPDX-License-Identifier: MIT
"""What is said of regions before anything is rendered, and that a render bears it out."""

import time

import bpy
import numpy as np
import pytest

from addon.exact.second_blender import ALIKE, alike
from addon.messages.errors import UserError
from addon.regions.listing import palette_of, rows
from addon.regions.marks import OFF, mark, write
from addon.regions.render_differences import SLICE, RenderDifferences
from tests.addon.hosts.exact.test_capture import exact, live
from tests.addon.hosts.sample_scenes import ball, box, fresh, group, instance, put


def told(scene, unlike=None):
    """What is said of each region, by phrase."""
    bpy.context.view_layer.update()
    unlike, uid = unlike or RenderDifferences(), scene.session_uid
    listed = {uid: rows(scene, palette_of(scene, {}))}
    for _ in range(1000):
        unlike.look({uid: (scene, bpy.context.view_layer)}, listed)
        if unlike._done == 0:
            break
    return {row.phrase: unlike.words.get(row.uid, ()) for row in listed[uid]}


def subdivided(seen, final):
    thing = box("thing", (0, 0, 0), (3, 3, 3))
    modifier = thing.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels, modifier.render_levels = seen, final
    return thing


def switched(view):
    thing = subdivided(3, 3)
    thing.modifiers[0].show_viewport, thing.modifiers[0].show_render = view, not view
    return thing


def hair():
    thing = ball("thing", (0, 0, 0), 1.0, 8)
    thing.modifiers.new("Hair", "PARTICLE_SYSTEM")
    settings = thing.particle_systems[0].settings
    settings.type, settings.count, settings.hair_length = "HAIR", 3000, 1.0
    return thing


def bald():
    thing = hair()
    thing.modifiers[0].show_render = False
    return thing


def fur():
    data = bpy.data.hair_curves.new("fur")
    data.add_curves([2] * 100)
    for place, curve in enumerate(data.curves):
        for end, point in enumerate(curve.points):
            point.position, point.radius = (place / 50 - 1, 0, 2 * end - 1), 0.05
    return put("thing", data, (0, 0, 0))


def coarse():
    data = bpy.data.curves.new("thing", "CURVE")
    data.dimensions, data.fill_mode, data.resolution_u, data.render_resolution_u = "2D", "BOTH", 1, 12
    spline = data.splines.new("BEZIER")
    spline.bezier_points.add(1)
    spline.use_cyclic_u = True
    for point, x in zip(spline.bezier_points, (-1.5, 1.5), strict=True):
        point.co, point.handle_left, point.handle_right = (x, 0, 0), (x, x, 0), (x, -x, 0)
    thing = put("thing", data, (0, 0, 0))
    thing.rotation_euler.x = np.pi / 2
    return thing


def painted(shade):
    thing = ball("thing")
    made = bpy.data.materials.new("thing")
    if made.node_tree is None:
        made.use_nodes = True
    shade(made, made.node_tree, made.node_tree.nodes["Material Output"])
    thing.data.materials.append(made)
    return thing


def displaced(method):
    def shade(made, tree, out):
        made.displacement_method = method
        displace, waves = tree.nodes.new("ShaderNodeDisplacement"), tree.nodes.new("ShaderNodeTexWave")
        displace.inputs["Scale"].default_value, displace.inputs["Midlevel"].default_value = 1.5, 0.0
        tree.links.new(waves.outputs["Color"], displace.inputs["Height"])
        tree.links.new(displace.outputs[0], out.inputs["Displacement"])

    return painted(shade)


def veiled(made, tree, out):
    tree.nodes["Principled BSDF"].inputs["Alpha"].default_value = 0.4


def veiled_in_a_group(made, tree, out):
    inner = bpy.data.node_groups.new("inner", "ShaderNodeTree")
    inner.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    clear, end = inner.nodes.new("ShaderNodeBsdfTransparent"), inner.nodes.new("NodeGroupOutput")
    inner.links.new(clear.outputs[0], end.inputs[0])
    held = tree.nodes.new("ShaderNodeGroup")
    held.node_tree = inner
    tree.links.new(held.outputs[0], out.inputs["Surface"])


def smoke(made, tree, out):
    tree.nodes.remove(tree.nodes["Principled BSDF"])
    tree.links.new(tree.nodes.new("ShaderNodeVolumePrincipled").outputs[0], out.inputs["Volume"])


def glass(made, tree, out):
    tree.links.new(tree.nodes.new("ShaderNodeBsdfGlass").outputs[0], out.inputs["Surface"])
    tree.nodes.new("ShaderNodeBsdfTransparent")  # leads nowhere


def hidden(how):
    thing = ball("thing")
    bpy.context.view_layer.update()
    if how == "eye":
        thing.hide_set(True)
    else:
        setattr(thing, how, True)
    return thing


def asks_whether_it_is_the_view():
    thing = ball("thing")
    tree = bpy.data.node_groups.new("ask", "GeometryNodeTree")
    for side in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=side, socket_type="NodeSocketGeometry")
    start, end = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    ask, switch = tree.nodes.new("GeometryNodeIsViewport"), tree.nodes.new("GeometryNodeTransform")
    tree.links.new(start.outputs[0], switch.inputs["Geometry"])
    tree.links.new(ask.outputs[0], switch.inputs["Scale"])
    tree.links.new(switch.outputs[0], end.inputs[0])
    switch.inputs["Translation"].default_value = (0, 0, 0)
    thing.modifiers.new("Nodes", "NODES").node_group = tree
    return thing


def scattered(in_view, in_renders):
    """Leaves on a ball, by particles."""
    thing = hair()
    settings = thing.particle_systems[0].settings
    settings.count, settings.particle_size = 60, 1.0
    settings.render_type, settings.instance_object = "OBJECT", ball("leaf", (0, 60, 0), 0.4, 8)
    thing.modifiers[0].show_viewport, thing.modifiers[0].show_render = in_view, in_renders
    return thing


CASES = {
    "plain": (lambda: ball("thing"), ()),
    "as in the view": (lambda: subdivided(2, 2), ()),
    "subdivided for renders": (lambda: subdivided(0, 4), ("subdivision",)),
    "a modifier of the render": (lambda: switched(False), ("modifiers",)),
    "a modifier of the view": (lambda: switched(True), ("modifiers",)),
    "nodes that ask": (asks_whether_it_is_the_view, ("modifiers",)),
    "hair": (hair, ("hair",)),
    "hair that does not render": (bald, ()),
    "scattered": (lambda: scattered(True, True), ()),
    "scattered in renders": (lambda: scattered(False, True), ("particles",)),
    "scattered in the view": (lambda: scattered(True, False), ("particles",)),
    "scattered nowhere": (lambda: scattered(False, False), ()),
    "hair of curves": (fur, ("hair",)),
    "a curve of few points": (coarse, ("detail",)),
    "displaced": (lambda: displaced("DISPLACEMENT"), ("displacement",)),
    "displaced and bumped": (lambda: displaced("BOTH"), ("displacement",)),
    "bumped": (lambda: displaced("BUMP"), ()),
    "veiled": (lambda: painted(veiled), ("transparency",)),
    "veiled in a group": (lambda: painted(veiled_in_a_group), ("transparency",)),
    "smoke": (lambda: painted(smoke), ("volume",)),
    "glass": (lambda: painted(glass), ()),
    "its eye closed": (lambda: hidden("eye"), ("hidden in the view only",)),
    "hidden in views": (lambda: hidden("hide_viewport"), ("hidden in the view only",)),
    "hidden in renders": (lambda: hidden("hide_render"), ()),  # and so from a capture, exact or not
}


def seen(look, scene):
    """The region as one way of looking has it; the refusal, where there is nothing of it."""
    try:
        return look(scene)["thing"]
    except UserError as error:
        return type(error)


@pytest.mark.parametrize(("build", "words"), CASES.values(), ids=CASES)
def test_a_render_bears_out_what_is_said(build, words, record_property):
    scene = fresh(256, 256)
    mark(build(), "thing")
    assert told(scene) == {"thing": words}
    one, other = seen(live, scene), seen(exact, scene)
    if isinstance(one, type) or isinstance(other, type):
        assert (one != other) == bool(words)
        return
    record_property("alike", alike(one, other))
    assert (alike(one, other) < ALIKE) == bool(words)


def test_what_simplify_makes_equal_is_equal():
    scene = fresh()
    mark(subdivided(1, 3))
    assert told(scene) == {"thing": ("subdivision",)}
    scene.render.use_simplify, scene.render.simplify_subdivision, scene.render.simplify_subdivision_render = True, 1, 1
    assert told(scene) == {"thing": ()}


def test_collections_and_what_they_instance_are_looked_into():
    scene = fresh()
    source, home = group("source"), group("home", scene.collection)
    hairy = hair()
    scene.collection.objects.unlink(hairy)
    source.objects.link(hairy)
    mark(instance("many", source, (0, 0, 0)))
    mark(home)
    box("plain", collection=home)
    box("away", collection=home).hide_viewport = True
    assert told(scene) == {"many": ("hair",), "home": ("hidden in the view only",)}
    write(home, OFF, True)
    assert told(scene) == {"many": ("hair",), "home": ()}


def test_what_the_depsgraph_does_not_tell_is_seen_all_the_same():
    scene, unlike = fresh(), RenderDifferences()
    thing = subdivided(2, 2)
    mark(thing)
    assert told(scene, unlike) == {"thing": ()}
    thing.modifiers[0].render_levels = 5
    assert told(scene, unlike) == {"thing": ("subdivision",)}
    thing.modifiers.clear()
    assert told(scene, unlike) == {"thing": ()}


def test_thousands_of_things_are_looked_at_in_slices(record_property):
    scene, unlike = fresh(), RenderDifferences()
    home = group("home", scene.collection)
    shared = box("first", collection=home).data
    for number in range(3000):
        put(f"copy {number}", shared, (number, 0, 0), home)
    home.objects["copy 2999"].hide_viewport = True
    mark(home)
    bpy.context.view_layer.update()
    seconds, listed = [], {scene.session_uid: rows(scene, palette_of(scene, {}))}
    while not unlike.words:
        begun = time.thread_time()
        unlike.look({scene.session_uid: (scene, bpy.context.view_layer)}, listed)
        seconds.append(time.thread_time() - begun)
    record_property("slices", len(seconds))
    record_property("median", np.median(seconds))
    assert len(seconds) > 1
    assert np.median(seconds) < 10 * SLICE
