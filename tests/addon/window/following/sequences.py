# SPDX-License-Identifier: MIT
"""All Cameras and Frame Range in a window: nothing of the scene moves, and what comes back plays."""

import os
from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver import sample_scene
from tests.addon.window.driver.user_input import area, desktop, operator_context, press, rest, screenshot, scroll
from tests.addon.window.scenarios.walkthrough import PROMPT, SEED

LAST = 4  # frames
STEPS = 8


def sequences(app, folder: Path, report: dict) -> Iterator:
    """A range of frames, seen while it is painted; back in the scene; a second one stopped; then every camera."""
    yield from desktop()
    unfold()
    press("add_selected")
    prepare(bpy.context.scene)
    press("start_server")
    yield lambda: app.session.link.name == "online"
    yield from frame_range(app, folder, report)
    yield from back_in_the_scene(app, folder, report)
    yield from stopped(app, report)
    yield from all_cameras(app, folder, report)


def unfold() -> None:
    """The panel open, as after a click on its title."""
    kind = bpy.types.MAQUETTE_PT_sequences
    bpy.utils.unregister_class(kind)
    kind.bl_options = set()
    bpy.utils.register_class(kind)


def prepare(scene: bpy.types.Scene) -> None:
    """The rocket climbs; a second camera stands beside the first; the artist is at frame 2."""
    scene.maquette_prompt, scene.maquette_steps, scene.maquette_seed = PROMPT, STEPS, SEED
    rocket = bpy.data.objects["rocket"]
    ground = rocket.location.z
    for frame, height in ((1, 0.0), (LAST, 1.2)):
        rocket.location.z = ground + height
        rocket.keyframe_insert("location", index=2, frame=frame)
    other = scene.camera.copy()
    other.data, other.name = scene.camera.data.copy(), "Side"
    other.location.x += 1.0
    scene.collection.objects.link(other)
    scene.frame_set(2)


def frame_range(app, folder: Path, report: dict) -> Iterator:
    """Queue and progress are seen, frame and fingerprint stay."""
    before = sample_scene.fingerprint()
    with_execution("frame_range", first=1, last=LAST)
    yield lambda: app.session.active is not None and app.session.active.job.step > 1
    report["queued as"] = sorted({task.view.frame for task in app.session.waiting})
    yield from scroll("down")
    yield lambda: app.session.sequences[-1].painted >= 2
    yield from screenshot(folder / "sequence.png", settle=0.4)
    yield lambda: not app.session.running_sequences
    yield from rest(0.5)
    (done,) = app.session.sequences
    report["done"] = [done.painted, done.note, [frame.trouble for frame in done.failed]]
    report["files"] = sorted(path.relative_to(done.folder).as_posix() for path in done.folder.rglob("*.png"))
    report["different"] = len({path.read_bytes() for path in done.folder.rglob("*.png")})
    report["frame"] = bpy.context.scene.frame_current
    report["touched"] = sample_scene.changed(before)
    report["left in the history"] = len(list(app.gallery.folder.glob("*.png")))
    yield from screenshot(folder / "painted.png")


def back_in_the_scene(app, folder: Path, report: dict) -> Iterator:
    """Behind the camera, at each frame another picture; then as a strip; both undone."""
    scene, (done,) = bpy.context.scene, app.session.sequences
    press("sequence_background", sequence=done.id)
    (layer,) = scene.camera.data.background_images
    report["background"] = [layer.image.source, layer.image_user.frame_duration, layer.image_user.frame_start]
    for frame in (1, LAST):
        scene.frame_set(frame)
        yield from screenshot(folder / f"background{frame}.png")
    scene.frame_set(2)
    press("sequence_strips", sequence=done.id)
    report["strips"] = [[len(strip.elements), strip.frame_final_start] for strip in strips_of(scene.sequence_editor)]
    area("IMAGE_EDITOR").ui_type = "SEQUENCE_EDITOR"
    yield from rest(0.5)
    area("SEQUENCE_EDITOR").spaces.active.view_type = "SEQUENCER_PREVIEW"
    yield from screenshot(folder / "strip.png")
    area("SEQUENCE_EDITOR").ui_type = "IMAGE_EDITOR"
    yield from rest(0.5)


def stopped(app, report: dict) -> Iterator:
    """Another one, of more steps, is stopped while it is painted: no job goes on, no Blender, no copy of the file."""
    bpy.context.scene.maquette_steps = 500
    with_execution("frame_range", first=1, last=LAST)
    yield lambda: app.session.active is not None and app.session.active.job.step > 1
    press("stop_sequence", sequence=app.session.sequences[-1].id)
    yield lambda: not app.session.running_sequences and not app.session.waiting
    temporary = [name for name in os.listdir(bpy.app.tempdir) if name.startswith("maquette-")]
    report["stopped"] = [app.session.sequences[-1].note, app.session.sequences[-1].painted, temporary]
    bpy.context.scene.maquette_steps = STEPS


def all_cameras(app, folder: Path, report: dict) -> Iterator:
    """One frame through both; the one that is painted already is taken from the first sequence."""
    jobs = len(app.session.tasks)
    press("all_cameras")
    yield lambda: not app.session.running_sequences
    done = app.session.sequences[-1]
    report["cameras"] = sorted({frame.camera for frame in done.frames})
    report["jobs for them"] = len(app.session.tasks) - jobs
    press("sequence_background", sequence=done.id)
    report["behind both"] = [
        len(bpy.data.objects[name].data.background_images) for name in (bpy.context.scene.camera.name, "Side")
    ]
    yield from screenshot(folder / "cameras.png")


def with_execution(button: str, **arguments) -> None:
    """What the dialog's own button does, with what was typed there."""
    with operator_context():
        getattr(bpy.ops.maquette, button)("EXEC_DEFAULT", True, **arguments)


def strips_of(editor):
    """What lies in a sequencer, which had sequences before 4.4."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences
