# SPDX-License-Identifier: MIT
"""A range of frames and every camera, without a window: painted at once, and nothing of the scene moves."""

import bpy
from sample_scenes import fingerprint


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
