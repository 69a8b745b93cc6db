# SPDX-License-Identifier: MIT
"""Background sets hide what is behind them, all along their chain, in the view as in a render."""

import bpy
import pytest

from addon.exact.second_blender import alike
from addon.regions.listing import marked_in_sets
from addon.regions.marks import OFF, mark, marks, write
from tests.addon.hosts.sample_scenes import box, captured, fresh, group, instance


def wall(holder):
    return box("wall", (-2, -2, 0), (4, 0.2, 8), holder)


def near(scene):
    """A set with a wall before the left half."""
    scene.background_set = bpy.data.scenes.new("Set")
    wall(scene.background_set.collection)


def far(scene):
    """The same, in the set of a set, and what is excluded in it, or hidden from renders, does not count."""
    scene.background_set = bpy.data.scenes.new("Set")
    scene.background_set.background_set = behind = bpy.data.scenes.new("Set's set")
    wall(behind.collection)
    box("unseen", (2, -2, 0), (4, 0.2, 8), group("excluded", behind.collection))
    behind.view_layers[0].update()
    behind.view_layers[0].layer_collection.children["excluded"].exclude = True
    box("secret", (2, -2, 0), (4, 0.2, 8), behind.collection).hide_render = True


def instanced(scene):
    """The wall is an instance of a collection."""
    scene.background_set = bpy.data.scenes.new("Set")
    holder = group("walls")
    wall(holder)
    there = instance("walls", holder, (0, 0, 0))
    scene.collection.objects.unlink(there)
    scene.background_set.collection.objects.link(there)


@pytest.mark.parametrize("build", [near, far, instanced])
def test_half_a_castle_is_behind_the_set(build):
    def staged():
        scene = fresh(256, 256)
        mark(box("castle", (0, 2, 0), (3, 3, 3)))
        build(scene)
        bpy.context.view_layer.update()
        return scene

    view, render = (captured(staged(), "a castle", exact=exact)["castle"] for exact in (False, True))
    assert view.visible == pytest.approx(0.5, abs=0.02)
    assert view.centroid[0] > 0.55
    assert alike(view, render) > 0.97


def test_what_has_a_region_s_phrase_in_a_background_scene_hides_and_is_no_part_of_it():
    scene = fresh(256, 256)
    mark(box("castle", (0, 2, 0), (3, 3, 3)))
    near(scene)
    bpy.context.view_layer.update()
    alone = captured(scene, "a castle")["castle"]
    mark(bpy.data.objects["wall"], "castle")
    assert captured(scene, "a castle")["castle"] == alone


def test_what_is_marked_in_a_background_scene_is_no_region_and_is_said():
    """There it is one; here an artist could not switch it off, nor select it."""
    scene = fresh(256, 256)
    mark(box("castle", (0, 2, 0), (3, 3, 3)))
    near(scene)
    mark(bpy.data.objects["wall"])
    assert [one.name for one in marks(scene)] == ["castle"]
    assert marked_in_sets(scene) == ("wall",)
    write(bpy.data.objects["wall"], OFF, True)
    assert marked_in_sets(scene) == ()
    write(bpy.data.objects["wall"], OFF, None)
    scene.collection.objects.link(bpy.data.objects["wall"])
    assert marked_in_sets(scene) == (), "it is a region of this scene too"
