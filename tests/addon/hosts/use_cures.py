# SPDX-License-Identifier: MIT
"""Every fault of a scene made on purpose, and put right by the button that is offered for it."""

from collections.abc import Callable

import bpy


def use_cures(desk) -> None:
    """From a scene that paints, through each fault, back to a scene that paints. Needs a server that runs."""
    scene = bpy.context.scene
    scene.maquette_prompt, scene.maquette_steps = "a castle and a rocket on a meadow", 3
    castle, rocket, camera = scene.objects["castle"], scene.objects["rocket"], scene.camera
    pose = camera.matrix_world.copy()
    paints()

    cured(desk, "panoramic-camera", lambda: setattr(camera.data, "type", "PANO"), "flatten_camera")
    cured(desk, "region-outside", lambda: setattr(camera, "location", (30.0, -10.0, 3.0)), "fit_camera")
    assert camera.matrix_world.to_3x3() == pose.to_3x3(), "the camera was turned"
    camera.matrix_world = pose
    cured(desk, "region-hidden", lambda: setattr(castle, "hide_render", True), "show_region", phrase="castle")
    bpy.ops.mesh.primitive_cube_add(size=3.0, location=(1.5, -3.0, 1.0))
    wall = bpy.context.object
    cured(desk, "region-behind", lambda: None, "leave_out", phrase="rocket")
    bpy.data.objects.remove(wall)
    del rocket["maquette_off"]
    paints()

    twin = castle.copy()
    twin.location.x += 1.5
    scene.collection.objects.link(twin)
    cured(desk, "phrase-shared", lambda: None, "tell_apart", phrase="castle")
    assert (castle.maquette_phrase, twin.maquette_phrase) == ("left castle", "right castle")
    assert scene.maquette_prompt == "a left castle and a right castle and a rocket on a meadow"
    scene.maquette_prompt = "a castle and a rocket on a meadow"
    castle.maquette_phrase = twin.maquette_phrase = "castle"
    cured(desk, "phrase-shared", lambda: None, "make_one", phrase="castle")
    bpy.data.objects.remove(twin)

    scene.maquette_prompt = "a castle and a rocket, enormous"
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    ((failed, notice),) = desk.session.failed
    assert notice.code == "out-of-memory", notice
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    assert [task.job.id for task, _ in desk.session.failed][1:] == [failed.job.id], (
        "the second took the first one's place"
    )
    assert bpy.ops.maquette.paint_smaller(answers=failed.job.id) == {"FINISHED"}, desk.session.notice
    assert scene.maquette_size == 75
    assert desk.session.notice is None
    ((failed, _),) = desk.session.failed
    assert bpy.ops.maquette.dismiss(jobs=failed.job.id) == {"FINISHED"}
    assert not desk.session.failed


def cured(desk, code: str, spoil: Callable[[], None], cure: str, **handed: str) -> None:
    """The fault is named, its button is offered, and after its press the scene paints."""
    spoil()
    bpy.context.view_layer.update()
    assert bpy.ops.maquette.generate() == {"CANCELLED"}, code
    assert desk.session.notice.code == code, desk.session.notice
    assert handed.get("phrase", "") in ("", desk.session.notice.subject)
    assert getattr(bpy.ops.maquette, cure)(**handed) == {"FINISHED"}
    assert desk.session.notice is None
    paints()


def paints() -> None:
    """A press of Generate brings a picture."""
    bpy.context.view_layer.update()
    assert bpy.ops.maquette.generate() == {"FINISHED"}, bpy.types.WindowManager.maquette.session.notice
