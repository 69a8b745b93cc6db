# SPDX-License-Identifier: MIT
"""Points and places that are no numbers harm nobody but themselves, in the view as in a render, and say nothing."""

import math

import bpy
import pytest

from addon.exact.second_blender import alike
from addon.regions.marks import mark
from tests.addon.hosts.sample_scenes import ball, box, captured, fresh

VALUES = [math.nan, math.inf, -math.inf, 1e30, 3e38]


def staged():
    scene = fresh(256, 256)
    mark(box("castle", (-1.5, 0, 0), (2, 2, 2)))
    mark(ball("tree", (1.8, 0, 0), 1.2, 12))
    box("rock", (0, 3, 0))
    return scene


def point(scene, name, value):
    scene.objects[name].data.vertices[0].co.x = value


def location(scene, name, value):
    scene.objects[name].location.z = value


def scale(scene, name, value):
    scene.objects[name].scale.x = value


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("damage", "name"), [(point, "rock"), (location, "rock"), (scale, "rock"), (point, "castle")])
def test_a_neighbour_is_seen_as_if_nothing_were_wrong(damage, name, value, recwarn):
    prompt = "a castle and a tree"
    sound = captured(staged(), prompt)["tree"]
    scene = staged()
    damage(scene, name, value)
    bpy.context.view_layer.update()
    seen = captured(scene, prompt)["tree"]
    assert alike(sound, seen) > 0.99
    assert not recwarn.list


@pytest.mark.parametrize("value", [*VALUES, 1e6])
def test_a_region_with_such_a_point_is_what_a_render_shows_of_it(value):
    def damaged():
        scene = staged()
        point(scene, "tree", value)
        bpy.context.view_layer.update()
        return scene

    prompt = "a castle and a tree"
    view, render = captured(damaged(), prompt), captured(damaged(), prompt, exact=True)
    assert all(alike(region, render[phrase]) > 0.95 for phrase, region in view.items())
