# SPDX-License-Identifier: MIT
"""Views, by operator: a range of frames and every camera; then in turn, each told what the others show, and baked."""

import json
import sys

import bpy
from sample_scenes import camera, fingerprint


def use_sequences(scene: bpy.types.Scene, app) -> None:
    """Two frames, taken again from where they lie, and put behind the camera."""
    before = fingerprint()
    assert bpy.ops.maquette.frame_range(first=4, last=5) == {"FINISHED"}, app.session.notice
    (done,) = app.session.sequences
    assert (done.painted, done.failed, done.ended, done.note) == (2, (), True, ""), done
    now = fingerprint()
    assert now == before, [key for key in now | before if now.get(key) != before.get(key)]
    jobs = [task.job.id for task in app.session.tasks]
    assert bpy.ops.maquette.all_cameras() == {"FINISHED"}, app.session.notice
    assert app.session.sequences[-1].painted == 1, app.session.sequences
    assert [task.job.id for task in app.session.tasks] == jobs, "nothing has moved: that picture is there"
    assert bpy.ops.maquette.sequence_background(sequence=done.id) == {"FINISHED"}, app.session.notice
    (layer,) = scene.camera.data.background_images
    assert (layer.image.filepath.endswith("0004.png"), layer.image_user.frame_start) == (True, 4)
    image, camera, picture = layer.image, scene.camera, scene.pop("maquette_picture")
    scene.camera = None  # as where it lies behind other cameras
    assert bpy.types.MAQUETTE_PT_views.poll(bpy.context) and bpy.ops.maquette.remove_results.poll()
    scene.camera, scene["maquette_picture"] = camera, picture
    assert bpy.ops.maquette.remove_background() == {"FINISHED"}, app.session.notice
    bpy.data.images.remove(image)
    for sequence in app.session.sequences:
        assert bpy.ops.maquette.dismiss_sequence(sequence=sequence.id) == {"FINISHED"}
    assert app.session.sequences == ()


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
