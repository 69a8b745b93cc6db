# SPDX-License-Identifier: MIT
"""Every fault of a scene made on purpose, and put right by the button that is offered for it."""

import sys
from collections.abc import Callable

import bpy
from mathutils import Vector

OF_THE_SERVER = {
    f"maquette.{name}" for name in ("start_server", "stop_server", "connect", "open_log", "open_preferences")
}
OF_THE_SERVER |= {f"maquette.{name}" for name in ("install_server", "continue_installation", "open_installation_log")}
A_WINDOWS = {
    f"maquette.{name}" for name in ("add_camera", "show_materials", "live", "look_through_camera")
}  # greyed elsewhere


def use_fixes(app) -> None:
    """From a scene that paints, through each fault, back to a scene that paints. Needs a server that runs."""
    scene = bpy.context.scene
    scene.maquette_vary = True
    scene.maquette_prompt, scene.maquette_steps = "a castle and a rocket on a meadow", 3
    castle, rocket, camera = scene.objects["castle"], scene.objects["rocket"], scene.camera
    pose = camera.matrix_world.copy()
    paints()

    fixes(app, "panoramic-camera", lambda: setattr(camera.data, "type", "PANO"), "flatten_camera")
    fixes(app, "region-outside", lambda: setattr(camera, "location", (30.0, -10.0, 3.0)), "fit_camera")
    assert camera.matrix_world.to_3x3() == pose.to_3x3(), "the camera was turned"
    is_constrained(app, camera)
    camera.matrix_world = pose
    fixes(app, "region-clipped", lambda: setattr(camera.data, "clip_end", 1.0), "extend_clip")
    camera.matrix_world = pose
    fixes(app, "region-hidden", lambda: setattr(castle, "hide_render", True), "show_region", phrase="castle")
    fixes(app, "region-hidden", lambda: castle.hide_set(True), "show_region", phrase="castle")
    fixes(app, "region-hidden", lambda: setattr(castle, "hide_viewport", True), "show_region", phrase="castle")
    bpy.ops.mesh.primitive_cube_add(size=3.0, location=(1.5, -3.0, 1.0))
    wall = bpy.context.object
    fixes(app, "region-behind", lambda: None, "leave_out", phrase="rocket")
    bpy.data.objects.remove(wall)
    del rocket["maquette_off"]
    paints()
    has_a_twin(app, castle)
    nothing_to_fix(app)
    is_too_large(app)


def has_a_twin(app, castle: bpy.types.Object) -> None:
    """Two marked objects of one name: told apart, then made one."""
    scene, twin = bpy.context.scene, castle.copy()
    twin.location.x += 1.5
    scene.collection.objects.link(twin)
    fixes(app, "phrase-shared", lambda: None, "tell_apart", phrase="castle")
    assert (castle.maquette_phrase, twin.maquette_phrase) == ("left castle", "right castle")
    assert scene.maquette_prompt == "a left castle and a right castle and a rocket on a meadow"
    scene.maquette_prompt = "a castle and a rocket on a meadow"
    castle.maquette_phrase = twin.maquette_phrase = "castle"
    fixes(app, "phrase-shared", lambda: None, "make_one", phrase="castle")
    del castle["maquette_together"], twin["maquette_together"]
    stood, camera = castle.matrix_world.copy(), scene.camera.matrix_world
    castle.location, twin.location = camera @ Vector((1.0, 0.0, -4.0)), camera @ Vector((2.0, 0.0, -14.0))
    bpy.context.view_layer.update()
    assert bpy.ops.maquette.tell_apart(phrase="castle") == {"FINISHED"}
    assert (castle.maquette_phrase, twin.maquette_phrase) == ("right castle", "left castle"), "as the frame has them"
    scene.maquette_prompt, castle.maquette_phrase = "a castle and a rocket on a meadow", "castle"
    castle.matrix_world = stood
    bpy.data.objects.remove(twin)


def is_too_large(app) -> None:
    """Two pictures that do not fit, one answered by painting smaller, one waved away."""
    scene = bpy.context.scene
    scene.maquette_prompt = "a castle and a rocket, enormous"
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    ((failed, notice),) = app.session.failed
    assert notice.code == "out-of-memory", notice
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    assert [task.job.id for task, _ in app.session.failed][1:] == [failed.job.id], (
        "the second took the first one's place"
    )
    assert bpy.ops.maquette.paint_smaller(answers=failed.job.id) == {"FINISHED"}, app.session.notice
    assert scene.maquette_size == 75
    assert app.session.notice.code == "strange-words"  # "enormous" is none of its words
    ((failed, _),) = app.session.failed
    assert bpy.ops.maquette.dismiss(jobs=failed.job.id) == {"FINISHED"}
    assert not app.session.failed


def fixes(app, code: str, spoil: Callable[[], None], fix: str, **handed: str) -> None:
    """The fault is named, its button is offered, and after its press the scene paints."""
    spoil()
    bpy.context.view_layer.update()
    assert bpy.ops.maquette.generate() == {"CANCELLED"}, code
    assert app.session.notice.code == code, app.session.notice
    assert handed.get("phrase", "") in ("", app.session.notice.subject)
    assert getattr(bpy.ops.maquette, fix)(**handed) == {"FINISHED"}
    assert app.session.notice is None
    paints()


def paints() -> None:
    """A press of Generate brings a picture."""
    bpy.context.view_layer.update()
    assert bpy.ops.maquette.generate() == {"FINISHED"}, bpy.types.WindowManager.maquette.session.notice


def is_constrained(app, camera) -> None:
    """A camera that goes back where it was is not said to fit; nor is it moved."""
    camera.location = (30.0, -10.0, 3.0)
    anchor = camera.constraints.new("LIMIT_LOCATION")
    anchor.use_min_x, anchor.min_x = True, 30.0
    stays(app, camera)
    camera.constraints.remove(anchor)
    camera.keyframe_insert("location")
    stays(app, camera)
    camera.animation_data_clear()


def stays(app, camera) -> None:
    """Fit Camera says what holds the camera."""
    bpy.context.view_layer.update()
    pose = camera.matrix_world.copy()
    assert bpy.ops.maquette.fit_camera() == {"CANCELLED"}
    assert app.session.notice.code == "camera-held", app.session.notice
    bpy.context.view_layer.update()
    assert camera.matrix_world == pose
    assert bpy.ops.maquette.dismiss() == {"FINISHED"}


def nothing_to_fix(app) -> None:
    """Every cure there is, pressed in a scene without anything: each does something or says why not.

    Notices outlive the scene they speak of: a file is opened, a region deleted, and the button still stands there.
    """
    cures = sys.modules[type(app).__module__.replace(".runtime.app", ".messages.fixes")].FIXES
    buttons = {button for fix in cures.values() for button in fix.buttons if button.operator.startswith("maquette.")}
    empty = bpy.data.scenes.new("Empty")
    with bpy.context.temp_override(scene=empty, view_layer=empty.view_layers[0]):
        for button in sorted(buttons, key=lambda button: button.operator):
            if button.operator not in OF_THE_SERVER | A_WINDOWS:
                handed = {button.subject_property: "what is gone"} if button.subject_property else {}
                answers(app, empty, button.operator, {**dict(button.arguments), **handed})
        for operator in ("select_region", "remove_region", "switch_view", "remove_view", "bring_camera"):
            answers(app, empty, f"maquette.{operator}", {"uid": "1"})
        assert not bpy.ops.maquette.add_camera.poll()
    bpy.data.scenes.remove(empty)
    assert bpy.ops.maquette.dismiss() == {"FINISHED"}


def answers(app, scene, operator: str, handed: dict[str, str]) -> None:
    """The button changes the scene, or says in a sentence why it does not."""
    bpy.ops.maquette.dismiss()
    scene["maquette_exact"] = True
    before = dict(scene.items())
    ended = getattr(bpy.ops.maquette, operator.removeprefix("maquette."))(**handed)
    notice = app.session.notice
    if ended == {"CANCELLED"}:
        assert notice is not None and notice.code and notice.message, operator
    else:
        assert dict(scene.items()) != before, f"{operator} is silent"
