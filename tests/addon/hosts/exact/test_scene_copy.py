# SPDX-License-Identifier: MIT
"""Exact capture of what Cryptomatte alone would get wrong: fog, cameras that markers bind, names that several share."""

import bpy
import numpy as np
import pytest

from addon.exact.second_blender import alike
from addon.regions.marks import mark
from tests.addon.hosts.sample_scenes import box, camera, captured, fresh, group, instance, put

PROMPT = "a castle and a tree"


def staged():
    """A castle, and a tree far behind it."""
    scene = fresh(256, 256)
    mark(box("castle", (-1.2, 0, 0), (1.8, 1.8, 3)))
    mark(box("tree", (2.6, 12, 0), (3, 3, 6)))
    return scene


def tree_of(block):
    if block.node_tree is None:
        block.use_nodes = True
    return block.node_tree


def output(tree):
    return next(node for node in tree.nodes if "Volume" in node.inputs and not node.outputs)


def fill(tree, kind="ShaderNodeVolumeScatter", density=0.1):
    """A volume, linked to the tree's output."""
    node = tree.nodes.new(kind)
    node.inputs["Density"].default_value = density
    tree.links.new(node.outputs[0], output(tree).inputs["Volume"])


def fog(scene):
    scene.world = bpy.data.worlds.new("fog")
    fill(tree_of(scene.world))


def mist(scene):
    """A box around all, of nothing but a volume."""
    material = bpy.data.materials.new("mist")
    tree = tree_of(material)
    kept = output(tree)
    for node in [node for node in tree.nodes if node != kept]:
        tree.nodes.remove(node)
    fill(tree, "ShaderNodeVolumePrincipled")
    box("mist", (0, 4, 0), (40, 40, 40)).data.materials.append(material)


def haze(scene):
    """The same, its volume in a group of nodes."""
    mist(scene)
    tree = bpy.data.materials["mist"].node_tree
    made = bpy.data.node_groups.new("haze", "ShaderNodeTree")
    made.interface.new_socket("Volume", in_out="OUTPUT", socket_type="NodeSocketShader")
    volume, out = made.nodes.new("ShaderNodeVolumeAbsorption"), made.nodes.new("NodeGroupOutput")
    made.links.new(volume.outputs[0], out.inputs[0])
    node = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = made
    tree.links.new(node.outputs[0], output(tree).inputs["Volume"])


def smoky(scene):
    """A castle whose own material is a surface filled with smoke."""
    material = bpy.data.materials.new("smoky")
    fill(tree_of(material), "ShaderNodeVolumePrincipled", 5.0)
    scene.objects["castle"].data.materials.append(material)


def cloud(scene):
    """A volume that Geometry Nodes make, of no material: Cycles has one of its own for such."""
    tree = bpy.data.node_groups.new("cloud", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    cube, real, out = (
        tree.nodes.new(kind) for kind in ("GeometryNodeVolumeCube", "GeometryNodeGeometryToInstance", "NodeGroupOutput")
    )
    cube.inputs["Min"].default_value, cube.inputs["Max"].default_value = (-6, -4, -6), (6, -3, 6)
    for axis in "XYZ":
        cube.inputs[f"Resolution {axis}"].default_value = 4
    tree.links.new(cube.outputs[0], real.inputs[0])
    tree.links.new(real.outputs[0], out.inputs[0])
    box("cloud", (0, 0, 0), (0.1, 0.1, 0.1)).modifiers.new("cloud", "NODES").node_group = tree


def subset(scene):
    """No air at all, but few samples, and those begun late."""
    scene.cycles.sample_offset = 4000
    if hasattr(scene.cycles, "use_sample_subset"):
        scene.cycles.use_sample_subset = True


@pytest.mark.parametrize("air", [fog, mist, haze, smoky, cloud, subset])
def test_regions_in_fog_are_as_large_as_without(air, record_property):
    clear = captured(staged(), PROMPT, exact=True)
    scene = staged()
    air(scene)
    foggy = captured(scene, PROMPT, exact=True)
    for phrase, region in clear.items():
        record_property(phrase, alike(region, foggy[phrase]))
        assert alike(region, foggy[phrase]) > 0.99
        assert foggy[phrase].visible == pytest.approx(region.visible, abs=0.01)


def test_the_camera_that_is_asked_for_is_rendered_through_whatever_markers_bind():
    def turned():
        scene = fresh(256, 256)
        mark(box("castle", (1, 0, 0), (2, 2, 2)))
        scene.timeline_markers.new("cut", frame=1).camera = camera(scene, (5, -10, 0), (5, 0, 0), "Second")
        return scene

    one, other = (captured(turned(), "a castle", exact=exact)["castle"] for exact in (False, True))
    assert alike(one, other) > 0.97


def library(folder, name, x):
    """A file with a collection of that name, which holds an object called body."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    box("body", (x, 0, 0), (1.6, 1.6, 2.4), group(name, bpy.context.scene.collection))
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / f"{name}.blend"))


def linked(folder, name, kind, wanted):
    with bpy.data.libraries.load(str(folder / f"{name}.blend"), link=True) as (_, target):
        setattr(target, kind, [wanted])
    return getattr(target, kind)[0]


def with_objects(scene, folder, name):
    holder = group(name, scene.collection)
    holder.objects.link(linked(folder, name, "objects", "body"))
    mark(holder, name)


def with_collections(scene, folder, name):
    holder = group(f"{name} here", scene.collection)
    holder.children.link(linked(folder, name, "collections", name))
    mark(holder, name)


def with_instances(scene, folder, name):
    mark(instance(name, linked(folder, name, "collections", name), (0, 0, 0)))


def with_overrides(scene, folder, name):
    original = linked(folder, name, "collections", name)
    mark(original.override_hierarchy_create(scene, bpy.context.view_layer, do_fully_editable=True), name)


@pytest.mark.parametrize("way", [with_objects, with_collections, with_instances, with_overrides])
def test_objects_of_one_name_from_several_files_are_told_apart(way, tmp_path):
    for name, x in (("knight", -2.2), ("dragon", 2.2)):
        library(tmp_path, name, x)

    def assembled():
        scene = fresh(512, 256)
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
        for name in ("knight", "dragon"):
            way(scene, tmp_path, name)
        box("body", (0, 3, -3), (1, 1, 1))
        bpy.context.view_layer.update()
        return scene

    prompt = "a knight and a dragon"
    view, render = captured(assembled(), prompt), captured(assembled(), prompt, exact=True)
    for phrase, region in view.items():
        assert alike(region, render[phrase]) > 0.97
    assert view["knight"].centroid[0] < 0.4 < 0.6 < view["dragon"].centroid[0]


def rig(scale, name="rig"):
    data_block = put(name, None, (0, 0, 0))
    data_block.scale = scale
    return data_block


@pytest.mark.parametrize("own", [(1, 1, 1), (1, -1, 1), (-1, -1, -1)])
@pytest.mark.parametrize("scale", [(1, 1, 2.2), (-1, 1, 1), (-1.5, 1.1, 2.9), (2, 2, 2)])
def test_a_rig_that_skews_or_mirrors_is_rendered_through(scale, own):
    def skewed():
        scene = fresh(384, 256)
        mark(box("castle", (1.0, 0, 0.8), (2, 2, 2)))
        scene.camera.parent = rig(scale)
        scene.camera.location, scene.camera.rotation_euler = (1.2 / scale[0], -9 / scale[1], 1), (1.5, 0.25, 0.14)
        scene.camera.scale = own
        if own[2] < 0:  # it looks the other way
            scene.camera.rotation_euler = (1.5 + np.pi, 0.25, 0.14)
        bpy.context.view_layer.update()
        return scene

    one, other = (captured(skewed(), "a castle", exact=exact)["castle"] for exact in (False, True))
    assert np.allclose(one.centroid, other.centroid, atol=0.002)
    assert alike(one, other) > 0.97
