# SPDX-License-Identifier: MIT
"""What stands before a region and lets it through: the view has it hide, a render has not, and the panel says so."""

import time

import bpy
import pytest

from addon.compat import ensure_nodes
from addon.overlay import scene_watcher
from addon.regions.marks import mark
from tests.addon.hosts.sample_scenes import ball, box, fresh

ALPHA, SHADER = "alpha", "a transparent shader"


def words(watcher: scene_watcher.SceneWatcher, scene: bpy.types.Scene) -> tuple[str, ...]:
    """What is said of the castle, once all has been looked at."""
    bpy.context.view_layer.update()
    scenes = {scene.session_uid: (scene, bpy.context.view_layer)}
    for _ in range(1000):
        if not watcher.resting and not watcher.step(scenes, {}) and not watcher.working:
            break
        time.sleep(0.001)
    for _ in range(3):
        watcher._listed_at = 0.0
        watcher.relist(scenes)
    return watcher.differences.words.get(scene.objects["castle"].session_uid, ())


def see_through(item: bpy.types.Object, how: str) -> None:
    """Have what is behind an object show."""
    material = bpy.data.materials.new(item.name)
    ensure_nodes(material)
    nodes = material.node_tree.nodes
    if how == ALPHA:
        nodes["Principled BSDF"].inputs["Alpha"].default_value = 0.4
    elif how == SHADER:
        shader = nodes.new("ShaderNodeBsdfTransparent")
        material.node_tree.links.new(shader.outputs[0], nodes["Material Output"].inputs["Surface"])
    item.data.materials.append(material)


def staged(y: float = -3.0) -> tuple[bpy.types.Scene, bpy.types.Object]:
    """A castle, and a screen over its left half, ``y`` of the way to it."""
    scene = fresh()
    mark(ball("castle", (0, 0, 0), 1.0))
    return scene, box("screen", (-1, y, 0), (2, 0.05, 4))


@pytest.mark.parametrize("how", [ALPHA, SHADER])
def test_a_see_through_screen_before_a_region_is_said(watcher: scene_watcher.SceneWatcher, how: str) -> None:
    scene, screen = staged()
    see_through(screen, how)
    assert words(watcher, scene) == ("transparency before it",)


@pytest.mark.parametrize(("y", "how"), [(-3.0, "opaque"), (3.0, ALPHA)])
def test_what_hides_or_stands_behind_is_not(watcher: scene_watcher.SceneWatcher, y: float, how: str) -> None:
    scene, screen = staged(y)
    see_through(screen, how)
    assert words(watcher, scene) == ()


def test_a_region_before_another_is_a_screen_too_until_it_moves_away(watcher: scene_watcher.SceneWatcher) -> None:
    scene, screen = staged()
    mark(screen)
    see_through(screen, ALPHA)
    assert words(watcher, scene) == ("transparency before it",)
    screen.location.x = -40
    assert words(watcher, scene) == ()


def test_a_screen_that_is_renamed_or_removed_is_no_fault(watcher: scene_watcher.SceneWatcher) -> None:
    scene, screen = staged()
    see_through(screen, ALPHA)
    assert words(watcher, scene) == ("transparency before it",)
    screen.name = "window"
    assert words(watcher, scene) == ("transparency before it",)
    bpy.data.objects.remove(screen)
    assert words(watcher, scene) == ()
