# SPDX-License-Identifier: MIT
"""Meshes read in slices while an artist edits, undoes and deletes: what comes of it is one moment of the scene."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
import pytest

from addon.capture import gathering as subject
from addon.capture.gathering import SceneKey, gathering
from addon.capture.instance_walk import Meshes
from addon.capture.scene import parts
from addon.cooperative import Slices, finish
from addon.messages.errors import Misfit
from addon.overlay import edits, scene_watcher
from addon.raster.instances import MeshInstances
from addon.regions.marks import mark
from tests.addon.hosts.sample_scenes import ball, fresh

Instances = tuple[MeshInstances, ...]
BALLS, ROUNDS = 7, 40


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[scene_watcher.SceneWatcher]:
    """What empties the shared meshes; a slice reads one mesh."""
    monkeypatch.setattr(subject, "READ", 1e-9)
    watcher = scene_watcher.SceneWatcher()
    listeners = edits.listen(watcher)
    yield watcher
    edits.unlisten(listeners)


def staged() -> SceneKey:
    """Balls of different meshes, two of them regions."""
    scene = fresh()
    for number in range(BALLS):
        ball(f"ball {number}", (number - 3, number % 3, 0), 0.6, 6 + number)
    for name in ("ball 1", "ball 4"):
        mark(bpy.data.objects[name])
    bpy.context.view_layer.update()
    bpy.ops.ed.undo_push(message="staged")
    return SceneKey(scene.session_uid, scene.camera.session_uid)


def test_what_is_read_later_is_of_the_view_layer_that_the_press_saw() -> None:
    key = staged()
    scene = bpy.context.scene
    collection = bpy.data.collections.new("front")
    scene.collection.children.link(collection)
    ball("screen", (0, -3, 0), 2.0, collection=collection)
    other = scene.view_layers.new("without")
    other.layer_collection.children["front"].exclude = True
    for name, is_there in (("ViewLayer", True), ("without", False), ("", True)):
        _, _, graph = replace(key, layer=name).find()
        seen = {original.name for original, _ in parts(scene, graph, Meshes())}
        assert ("screen" in seen) == is_there and "ball 1" in seen


def values(instances: Instances) -> list[tuple[Any, ...]]:
    """All that instances say, to be compared."""
    return [
        (
            item.owner,
            item.some(0, len(item)).tobytes(),
            item.mesh.points.tobytes(),
            finish(item.mesh.triangles()).tobytes(),
        )
        for item in instances
    ]


def at_once(key: SceneKey) -> list[tuple[Any, ...]]:
    """The scene as it stands, read in one piece."""
    scene, _, graph = key.find()
    return values(tuple(part for _, part in parts(scene, graph, Meshes())))


def capturing(key: SceneKey, watcher: scene_watcher.SceneWatcher, moments: list[Any]) -> Slices[Instances]:
    """A capture in slices; ``moments`` gets what the scene was whenever it was seen."""

    def seen(patience: float | None) -> Instances:
        scene, _, graph = key.find()
        moments.append(at_once(key))
        return tuple(part for _, part in parts(scene, graph, watcher.meshes, patience))

    return gathering(seen(0.0), lambda instances: instances, seen, key, watcher.meshes)


def edit(random: np.random.Generator) -> None:
    """Something that an artist does."""
    balls = [item for item in bpy.context.scene.objects if item.type == "MESH"]
    item = balls[random.integers(len(balls))]
    deeds: tuple[Callable[[], None], ...] = (
        lambda: setattr(item.location, "x", random.uniform(-3, 3)),
        lambda: _reshape(item, random),
        lambda: setattr(item, "name", "renamed"),
        lambda: setattr(item, "hide_viewport", not item.hide_viewport),
        lambda: bpy.data.objects.remove(item) if len(balls) > 2 else None,
        lambda: bpy.ops.ed.undo.poll() and bpy.ops.ed.undo() and None,
        lambda: ball("another", (random.uniform(-3, 3), 0, 1), 0.4, 9) and None,
        lambda: bpy.context.view_layer.update(),
    )
    deed = deeds[random.integers(len(deeds))]
    deed()
    if deed is not deeds[5]:
        bpy.ops.ed.undo_push(message="edit")


def _reshape(item: bpy.types.Object, random: np.random.Generator) -> None:
    for vertex in item.data.vertices:
        vertex.co.z *= random.uniform(0.5, 1.5)
    item.data.update()


def test_edits_undos_and_deletions_between_slices(watcher: scene_watcher.SceneWatcher) -> None:
    restarts = 0
    for seed in range(ROUNDS):
        random, key, moments = np.random.default_rng(seed), staged(), []
        watcher.forget()
        slices = capturing(key, watcher, moments)
        while True:
            try:
                next(slices)
            except StopIteration as end:
                assert values(end.value) == moments[-1], seed
                break
            assert held(slices) == []
            for _ in range(random.integers(3)):
                edit(random)
        restarts += len(moments) > 1
        assert values(finish(capturing(key, watcher, []))) == at_once(key), seed
    assert restarts > ROUNDS // 4  # else nothing was tried


def test_what_was_seen_at_first_counts_while_its_meshes_stand(watcher: scene_watcher.SceneWatcher) -> None:
    key, moments = staged(), []
    slices = capturing(key, watcher, moments)
    next(slices)
    bpy.data.objects["ball 2"].location.x += 5.0
    assert values(finish(slices)) == moments[0] != at_once(key)
    assert len(moments) == 1


def test_a_scene_that_never_rests_is_read_at_once(watcher: scene_watcher.SceneWatcher) -> None:
    key, moments, count = staged(), [], 0
    slices = capturing(key, watcher, moments)
    with pytest.raises(StopIteration) as end:
        while count < 1000:
            next(slices)
            _reshape(bpy.data.objects["ball 6"], np.random.default_rng(count))
            count += 1
    assert values(end.value.value) == moments[-1]
    assert count < 100


def test_a_file_that_is_closed_meanwhile_is_said(watcher: scene_watcher.SceneWatcher) -> None:
    key = staged()
    slices = capturing(key, watcher, [])
    next(slices)
    fresh()
    with pytest.raises(Misfit):
        next(slices)


def held(slices: Any) -> list[str]:
    """Names of what a generator that waits holds of Blender's, and whatever it waits for in its turn."""
    names = []
    while slices is not None and slices.gi_frame is not None:
        content = slices.gi_frame.f_locals
        names += [name for name, value in content.items() if isinstance(value, bpy.types.bpy_struct)]
        slices = slices.gi_yieldfrom
    return names
