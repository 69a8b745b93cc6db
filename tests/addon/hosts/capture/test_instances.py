# SPDX-License-Identifier: MIT
"""Scenes of very many instances: what they cost, that those which cannot matter are left out, and that the walk over
them is kept while it holds, followed where objects only move, and else gone anew."""

import time
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest

from addon.capture.instance_walk import Meshes
from addon.capture.scene import capture as snapshot
from addon.capture.scene import evaluated, parts
from addon.capture.snapshot import develop
from addon.messages.errors import RegionClipped, RegionOutside
from addon.overlay import scene_watcher
from addon.regions.marks import mark
from addon.request.settings import Settings
from tests.addon.hosts.capture.sample_cameras import look
from tests.addon.hosts.sample_scenes import box, fresh, group, instance, mesh, put

Edit = Callable[[bpy.types.Scene], object]

LOOK, SLICE = 0.3, 0.010  # seconds of CPU that a look may take, and a slice of what follows


def meadow(count, blade=0.02, y=0.0, span=4.0):
    """``count`` blades on a field, and a castle in it."""
    scene = fresh(256, 256)
    mark(box("castle", (0, 0, 0), (2, 2, 2)))
    side = int(count**0.5) + 1
    points = [(i % side / side * span - span / 2, y + i // side * 0.02, -1) for i in range(count)]
    ground = put("ground", mesh(points, [], "ground"), (0, 0, 0))
    tree = bpy.data.node_groups.new("scatter", "GeometryNodeTree")
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    kinds = ("NodeGroupInput", "NodeGroupOutput", "GeometryNodeObjectInfo", "GeometryNodeInstanceOnPoints")
    source, out, info, onto = (tree.nodes.new(kind) for kind in kinds)
    info.inputs["Object"].default_value = box("blade", (0, 0, -50), (blade, blade, 10 * blade))
    info.inputs["As Instance"].default_value = True
    tree.links.new(source.outputs[0], onto.inputs["Points"])
    tree.links.new(info.outputs["Geometry"], onto.inputs["Instance"])
    tree.links.new(onto.outputs[0], out.inputs[0])
    ground.modifiers.new("scatter", "NODES").node_group = tree
    bpy.context.view_layer.update()
    return scene


def spent(work):
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def slowest(slices):
    """Seconds of the longest slice. Raises what the slices raise."""
    longest = 0.0
    while True:
        begun = time.process_time()
        try:
            next(slices)
        except StopIteration:
            return longest
        finally:
            longest = max(longest, time.process_time() - begun)


def test_fifty_thousand_instances_are_looked_at_in_no_time(record_property):
    scene = meadow(50_000)
    graph = evaluated(scene)
    took, found = min((spent(lambda: list(parts(scene, graph, Meshes()))) for _ in range(3)), key=lambda pair: pair[0])
    record_property("look_s", took)
    assert sum(len(part) for _, part in found) == 50_003
    assert took < LOOK
    seen = snapshot(scene, Settings(prompt="a castle"))
    longest = min(slowest(develop(seen)) for _ in range(3))
    record_property("slice_s", longest)
    assert longest < SLICE


@pytest.mark.long
@pytest.mark.parametrize("options", [{"y": -60.0}, {"blade": 0.0005}])
def test_a_million_that_cannot_matter_are_left_out_in_slices(options, record_property):
    scene = meadow(1_000_000, **options)
    took, seen = spent(lambda: snapshot(scene, Settings(prompt="a castle")))
    record_property("look_s", took)
    longest = min(slowest(develop(seen)) for _ in range(3))
    record_property("slice_s", longest)
    assert longest < SLICE


def test_meshes_are_read_many_at_a_walk_however_long_that_is():
    """Between two walks the window goes on; were each for one mesh, a scene of a million would never be looked at."""
    scene, meshes, walks = meadow(20_000), Meshes(), 0
    for number in range(30):
        box(f"stone {number}", (number, 3, 0))
    bpy.context.view_layer.update()
    found = []
    while not found or not all(part.mesh.is_read for _, part in found):
        found = list(parts(scene, evaluated(scene), meshes, 0.004))
        walks += 1
    assert len(meshes.by_address) >= 33 and walks <= 10


def test_instances_are_where_each_of_them_stands():
    scene = meadow(300, blade=0.1)
    expected = [
        np.array(one.matrix_world)
        for one in evaluated(scene).object_instances
        if one.object.name == "blade" and one.parent
    ]
    (found,) = (part for _, part in parts(scene, evaluated(scene), Meshes()) if len(part) > 1)
    assert np.array_equal(found.some(0, 300), np.array(expected, np.float32))


@pytest.mark.parametrize(
    ("options", "drawn"), [({"blade": 0.02}, True), ({"blade": 0.0005}, False), ({"y": -60}, False)]
)
def test_what_is_outside_or_smaller_than_a_cell_is_not_drawn(options, drawn):
    alone = look(meadow(1, blade=0.0001), "a castle")["castle"]
    among = look(meadow(4000, **{"y": -2.0} | options), "a castle")["castle"]
    assert (among.size < alone.size) == drawn


def test_small_instances_of_a_region_stay():
    scene = meadow(40_000, blade=0.006, y=-1.5)
    mark(scene.objects["ground"], "meadow")
    scene.objects["blade"].hide_render = True
    region = look(scene, "a castle on a meadow")["meadow"]
    assert region.size > 0.015


def test_a_region_outside_is_outside_and_not_bare():
    scene = meadow(100, y=-80)
    mark(scene.objects["ground"], "meadow")
    with pytest.raises(RegionOutside):
        look(scene, "a castle on a meadow")


def test_instances_beyond_clip_end_are_said_to_lie_there():
    """Be it that the first of them lies elsewhere: behind the camera."""
    scene = meadow(400, blade=3, y=3000)
    mark(scene.objects["ground"], "meadow")
    scene.camera.data.clip_end = 100
    scene.objects["ground"].data.vertices[0].co = (0, -500, 0)
    scene.objects["castle"].location = (-3, 0, 1)
    bpy.context.view_layer.update()
    with pytest.raises(RegionClipped, match="farther than the camera sees: its Clip End, 100"):
        look(scene, "a castle on a meadow")


def staged() -> bpy.types.Scene:
    """A castle with a flag on it, a meadow, and trees that are instances of a collection."""
    scene = meadow(300, blade=0.1)
    box("flag", (0, 0, 2)).parent = scene.objects["castle"]
    trees = group("trees")
    box("tree", (0, 0, 0), (1, 1, 3), trees)
    for number in range(3):
        instance(f"grove {number}", trees, (number, 4, 0))
    bpy.context.view_layer.update()
    return scene


def standing(scene: bpy.types.Scene, meshes: Meshes) -> list[tuple[Any, ...]]:
    """Where everything is, and whose."""
    every = parts(scene, evaluated(scene), meshes)
    return [(item.name, part.owner, part.lineage, part.some(0, len(part)).tobytes()) for item, part in every]


def moved(name: str) -> Edit:
    return lambda scene: setattr(bpy.data.objects[name].location, "x", 1.5)


def reshape(mesh: bpy.types.Mesh) -> None:
    """Make it wider."""
    for vertex in mesh.vertices:
        vertex.co.x *= 2
    mesh.update()


FOLLOWED: dict[str, Edit] = {
    "nothing": lambda scene: None,
    "a region": moved("castle"),
    "with what hangs on it": lambda scene: setattr(scene.objects["castle"], "scale", (2, 1, 1)),
    "the camera": moved("Camera"),
    "its lens": lambda scene: setattr(scene.camera.data, "lens", 35.0),
}
WALKED: dict[str, Edit] = {
    "what instances": moved("ground"),
    "what is instanced": moved("blade"),
    "what stands in a collection": moved("tree"),
    "where a collection stands": moved("grove 1"),
    "a mesh": lambda scene: reshape(scene.objects["castle"].data),
    "what is hidden": lambda scene: scene.objects["castle"].hide_set(True),
    "what is removed": lambda scene: bpy.data.objects.remove(scene.objects["castle"]),
    "what is new": lambda scene: box("another"),
    "a new place of a collection": lambda scene: instance("grove 4", bpy.data.collections["trees"], (5, 4, 0)),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_only_moves_is_followed(watcher: scene_watcher.SceneWatcher, name: str) -> None:
    scene = staged()
    before = standing(scene, watcher.meshes)
    walk = watcher.meshes.walk
    assert walk is not None
    for _ in range(2):
        FOLLOWED[name](scene)
        bpy.context.view_layer.update()
        after = standing(scene, watcher.meshes)
        assert watcher.meshes.walk is not None and watcher.meshes.walk.matrices is walk.matrices
        assert after == standing(scene, Meshes())
    assert (after == before) == (name not in ("a region", "with what hangs on it"))


@pytest.mark.parametrize("name", WALKED)
def test_whatever_else_changes_is_walked_again(watcher: scene_watcher.SceneWatcher, name: str) -> None:
    scene = staged()
    standing(scene, watcher.meshes)
    walk = watcher.meshes.walk
    assert walk is not None
    WALKED[name](scene)
    bpy.context.view_layer.update()
    assert standing(scene, watcher.meshes) == standing(scene, Meshes())
    assert watcher.meshes.walk is not None and watcher.meshes.walk.matrices is not walk.matrices


def test_what_somebody_still_works_on_stays_as_it_was(watcher: scene_watcher.SceneWatcher) -> None:
    scene = staged()
    (first,) = (part for item, part in parts(scene, evaluated(scene), watcher.meshes) if item.name == "castle")
    before = first.some(0, 1).copy()
    scene.objects["castle"].location.x = 2.0
    bpy.context.view_layer.update()
    standing(scene, watcher.meshes)
    assert (first.some(0, 1) == before).all()


def test_meshes_that_nodes_make_are_read_where_they_stand() -> None:
    """No object has them: neither the curve, nor what is scattered, nor the mesh of a modifier that makes one."""
    scene = meadow(50, blade=0.1)
    ground = scene.objects["ground"]
    tree = ground.modifiers[0].node_group
    cone = tree.nodes.new("GeometryNodeMeshCone")
    onto = next(node for node in tree.nodes if node.bl_idname == "GeometryNodeInstanceOnPoints")
    tree.links.new(cone.outputs["Mesh"], onto.inputs["Instance"])
    put("word", bpy.data.curves.new("word", "FONT"), (0, 0, 1)).data.body = "Maquette"
    bpy.context.view_layer.update()
    every = list(parts(scene, evaluated(scene), Meshes()))
    assert all(part.mesh.is_read and len(part.mesh) for item, part in every if item.name != "ground" or len(part) == 50)
    (cones,) = (part for item, part in every if item.name == "ground" and len(part) == 50)
    assert len(cones.mesh) > 60
    assert any(item.type == "FONT" for item, _ in every)
