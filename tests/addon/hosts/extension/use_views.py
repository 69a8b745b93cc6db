# SPDX-License-Identifier: MIT
"""Views painted in turn, each told what the others show, and baked, by operator."""

import json

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
    assert bpy.ops.maquette.all_cameras() == {"FINISHED"}, app.session.notice
    sequence = app.session.sequences[-1]
    assert (sequence.size, sequence.painted) == (2, 2), "a projector is none of the cameras"
    assert bpy.ops.maquette.dismiss_sequence(sequence=sequence.id) == {"FINISHED"}
    projected = [item for item in scene.objects if "maquette_thrown" in item]
    assert bpy.ops.maquette.bake() == {"FINISHED"}, app.session.notice
    assert projected and not any("maquette_thrown" in item for item in scene.objects)
    for item in projected:
        assert [slot.material.name for slot in item.material_slots] == [f"{item.name} Bake"]
    assert bpy.ops.maquette.bake() == {"CANCELLED"} and app.session.notice.code == "unbakeable"
    assert not bpy.ops.maquette.stop_bake.poll()
    assert bpy.ops.maquette.remove_results() == {"FINISHED"}
