# SPDX-License-Identifier: MIT
"""Views painted in turn, each told what the others show, and baked, by operator."""

import json
import sys

import bpy
from sample_scenes import camera


def paint_and_bake(scene: bpy.types.Scene, app: object) -> None:
    """Two cameras, two views, the second told of the first; then an image for each object, and nothing projected."""
    before = scene.camera
    camera(scene, (2.0, -9.5, 3.5), (0.0, 0.0, 1.0), "Second")
    assert bpy.ops.maquette.paint_views() == {"FINISHED"}, app.session.notice
    assert scene.camera == before
    assert sum("maquette_projector" in item for item in scene.objects) == 2
    references = [json.loads(entry.text)["request"].get("reference") or {} for entry in scene.maquette_history]
    assert sum(reference.get("shown") is not None for reference in references) == 1, references
    keep_to_the_turn(scene, app)
    projected = [item for item in scene.objects if "maquette_thrown" in item]
    assert bpy.ops.maquette.bake() == {"FINISHED"}, app.session.notice
    assert projected and not any("maquette_thrown" in item for item in scene.objects)
    for item in projected:
        assert [slot.material.name for slot in item.material_slots] == [f"{item.name} Bake"]
    assert bpy.ops.maquette.bake() == {"CANCELLED"} and app.session.notice.code == "unbakeable"
    assert not bpy.ops.maquette.stop_bake.poll()
    assert bpy.ops.maquette.remove_results() == {"FINISHED"}


def keep_to_the_turn(scene: bpy.types.Scene, app: object) -> None:
    """A turn projects its own picture, though another is shown; and one that fails leaves the scene's camera alone."""
    paint_views = sys.modules[f"{type(app).__module__.removesuffix('.runtime.app')}.ui.operators.scene.paint_views"]
    own, other = (entry.name for entry in scene.maquette_history[-2:])
    for name in (own, own, other):
        assert paint_views.make_current(scene.session_uid, name)
        assert scene["maquette_picture"]["maquette_entry"] == name
    assert not paint_views.make_current(scene.session_uid, "gone")
    before, away = scene.camera, camera(scene, (0.0, -10.0, 3.0), (0.0, -20.0, 3.0), "Away")
    bpy.ops.object.select_all(action="DESELECT")
    away.select_set(True)
    assert bpy.ops.maquette.paint_views() == {"CANCELLED"} and app.session.notice.code == "region-outside"
    assert scene.camera == before
    bpy.data.objects.remove(away)
