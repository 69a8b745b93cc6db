# SPDX-License-Identifier: MIT
"""Metaballs of one family: each is its own part of their surface, in the view and in a render."""

import bpy
import pytest

from addon.exact.second_blender import alike
from addon.regions.marks import mark
from tests.addon.hosts.sample_scenes import captured, fresh, group, put

PHRASES = {"Ball": "duck", "Ball.001": "whale"}


def balls(marked, kind="BALL", apart=2.5, together=False):
    """Two metaballs of one family, ``apart`` from the middle."""
    scene = fresh(256, 256)
    holder = group("balls", scene.collection) if together else None
    for name, x in (("Ball", -apart), ("Ball.001", apart)):
        data = bpy.data.metaballs.new(name)
        data.elements.new(type=kind).radius = 1.5
        data.resolution = data.render_resolution = 0.2
        ball = put(name, data, (x, 0, 0), holder)
        if name in marked:
            mark(ball, PHRASES[name])
    if together:
        mark(holder, "duck")
    bpy.context.view_layer.update()
    return scene


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("kind", ["BALL", "CAPSULE", "CUBE", "ELLIPSOID"])
def test_each_of_two_is_where_it_stands(exact, kind):
    regions = captured(balls(PHRASES, kind), "a duck and a whale", exact=exact)
    assert regions["duck"].centroid[0] < 0.35 and regions["whale"].centroid[0] > 0.65
    assert regions["duck"].size == pytest.approx(regions["whale"].size, rel=0.1)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("name", "left"), [("Ball", True), ("Ball.001", False)])
def test_one_of_two_is_a_region_alone(exact, name, left):
    phrase = PHRASES[name]
    region = captured(balls({name}), f"a {phrase}", exact=exact)[phrase]
    assert (region.centroid[0] < 0.35) == left
    assert abs(region.centroid[0] - 0.5) > 0.1


def test_where_they_melt_the_middle_parts_them():
    view, render = (captured(balls(PHRASES, apart=0.9), "a duck and a whale", exact=exact) for exact in (False, True))
    assert view["duck"].size == pytest.approx(view["whale"].size, rel=0.05)
    for phrase, region in view.items():
        assert alike(region, render[phrase]) > 0.95


@pytest.mark.parametrize("exact", [False, True])
def test_a_family_that_is_one_region_is_one(exact):
    region = captured(balls((), together=True), "a duck", exact=exact)["duck"]
    assert region.centroid[0] == pytest.approx(0.5, abs=0.01)
    assert region.visible > 0.99


@pytest.mark.parametrize("exact", [False, True])
def test_one_that_is_scaled_to_nothing_has_no_part(exact):
    scene = balls({"Ball"})
    scene.objects["Ball.001"].scale = (0.0, 0.0, 0.0)
    bpy.context.view_layer.update()
    region = captured(scene, "a duck", exact=exact)["duck"]
    assert region.visible > 0.99
