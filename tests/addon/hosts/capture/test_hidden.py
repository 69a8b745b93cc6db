# SPDX-License-Identifier: MIT
"""What a render does not show hides nothing and is no region; a holdout hides."""

import bpy
import pytest
from mathutils import Vector

from addon.camera.reader import view
from addon.camera.view import numbers
from addon.capture.scene import evaluated
from addon.messages.errors import RegionHidden
from addon.protocol.views import unmoved
from addon.regions.marks import mark, unmark
from tests.addon.hosts.capture.sample_cameras import look
from tests.addon.hosts.sample_scenes import box, fresh, group, instance


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
