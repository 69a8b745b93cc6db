# SPDX-License-Identifier: MIT
"""The walk over what is instanced is kept while it holds, followed where objects only move, and else gone anew."""

from collections.abc import Callable, Iterator
from typing import Any

import bpy
import pytest

from addon.capture.instance_walk import Meshes
from addon.capture.scene import evaluated, parts
from addon.overlay import edits, scene_watcher
from tests.addon.hosts.capture.test_instances import meadow
from tests.addon.hosts.sample_scenes import box, group, instance, put

Edit = Callable[[bpy.types.Scene], object]


@pytest.fixture
def watcher() -> Iterator[scene_watcher.SceneWatcher]:
    """What hears of edits, and keeps walk and meshes."""
    watcher = scene_watcher.SceneWatcher()
    listeners = edits.listen(watcher)
    yield watcher
    edits.unlisten(listeners)


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
