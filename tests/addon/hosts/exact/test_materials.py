# SPDX-License-Identifier: MIT
"""The table of docs/blender.md: what view and Exact make of materials and settings of objects. A screen covers the left
half of a region, and each row is how much of it is visible then: 0.5 behind what hides, 1 behind what does not."""

import bpy
import pytest

from addon.messages.errors import UserError
from addon.regions.marks import mark
from tests.addon.hosts.sample_scenes import box, captured, fresh


def staged():
    scene = fresh(256, 256)
    mark(box("duck", (0, 0, 0), (3, 3, 3)))
    screen = box("screen", (-2, -3, 0), (4, 0.1, 8))
    material = bpy.data.materials.new("screen")
    if material.node_tree is None:
        material.use_nodes = True
    screen.data.materials.append(material)
    return scene, screen, material.node_tree


def surface(tree, kind):
    node = tree.nodes.new(kind)
    tree.links.new(node.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    return node


def principled(tree, name, value):
    tree.nodes["Principled BSDF"].inputs[name].default_value = value


def shadow_catcher(scene, screen, tree):
    screen.is_shadow_catcher, scene.render.film_transparent = True, True


def indirect(scene, screen, tree):
    holder = bpy.data.collections.new("indirect")
    scene.collection.children.link(holder)
    holder.objects.link(screen)
    scene.collection.objects.unlink(screen)
    scene.view_layers[0].layer_collection.children["indirect"].indirect_only = True


ROWS = {
    "opaque": (lambda scene, screen, tree: None, 0.5, 0.5),
    "alpha 0.4": (lambda scene, screen, tree: principled(tree, "Alpha", 0.4), 0.5, 0.68),  # two sides
    "alpha 0": (lambda scene, screen, tree: principled(tree, "Alpha", 0.0), 0.5, 1.0),
    "transparent shader": (lambda scene, screen, tree: surface(tree, "ShaderNodeBsdfTransparent"), 0.5, 1.0),
    "glass": (lambda scene, screen, tree: surface(tree, "ShaderNodeBsdfGlass"), 0.5, 0.5),
    "transmission 1": (lambda scene, screen, tree: principled(tree, "Transmission Weight", 1.0), 0.5, 0.5),
    "emission": (lambda scene, screen, tree: surface(tree, "ShaderNodeEmission"), 0.5, 0.5),
    "holdout shader": (lambda scene, screen, tree: surface(tree, "ShaderNodeHoldout"), 0.5, 0.5),
    "holdout object": (lambda scene, screen, tree: setattr(screen, "is_holdout", True), 0.5, 0.5),
    "shadow catcher": (shadow_catcher, 0.5, 0.5),
    "light group": (lambda scene, screen, tree: setattr(screen, "lightgroup", "off"), 0.5, 0.5),
    "hidden from camera rays": (lambda scene, screen, tree: setattr(screen, "visible_camera", False), 1.0, 1.0),
    "hidden from shadows": (lambda scene, screen, tree: setattr(screen, "visible_shadow", False), 0.5, 0.5),
    "indirect only": (indirect, 1.0, 1.0),
    "hidden from renders": (lambda scene, screen, tree: setattr(screen, "hide_render", True), 1.0, 1.0),
    "shown as wire": (lambda scene, screen, tree: setattr(screen, "display_type", "WIRE"), 0.5, 0.5),
}


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("name", ROWS)
def test_what_a_screen_hides(name, exact):
    build, view, render = ROWS[name]
    scene, screen, tree = staged()
    build(scene, screen, tree)
    bpy.context.view_layer.update()
    try:
        visible = captured(scene, "a duck", exact=exact)["duck"].visible
    except UserError as error:
        pytest.fail(str(error))
    assert visible == pytest.approx(render if exact else view, abs=0.02)
