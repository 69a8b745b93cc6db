# SPDX-License-Identifier: MIT
"""What may happen to Blender while a picture is painted; each time the job survives, or says what happened."""

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver import sample_scene
from tests.addon.window.driver.user_input import arrange, ask, operator_context, press, project, rest, screenshot
from tests.addon.window.scenarios.walkthrough import PROMPT, STEPS, notices

ADDON = "bl_ext.user_default.maquette"


def interrupt(app, command: str, folder: Path, report: dict) -> Iterator:
    """Edits, undo, other files, the add-on switched off, the server killed: each during a job of its own."""
    for name, act in (("undo", undo_a_cube), ("redo", redo), ("rename", rename)):
        yield from during_a_job(app, name, act, report)
    yield from delete_a_region(app, report)
    yield from other_files(app, folder, report)
    app = yield from disable_the_add_on(command, report)
    yield from kill_the_server(app, folder, report)


def begin(app) -> Iterator:
    """Press Generate, and wait until the picture is being painted."""
    yield from ask(app)
    yield lambda: app.session.tasks[-1].job.step > 1 or app.session.tasks[-1].ended


def during_a_job(app, name: str, act: Callable[[], None], report: dict) -> Iterator:
    """Something the artist does during a job changes what it changes, and nothing else; the picture arrives."""
    earlier = _picture()
    yield from begin(app)
    act()
    before = sample_scene.fingerprint()
    yield lambda: app.session.tasks[-1].ended or sample_scene.changed(before)
    finished = app.session.tasks[-1].ended
    report.setdefault("weathered", {})[name] = [] if finished else sample_scene.changed(before)
    yield lambda: _picture() != earlier
    report.setdefault("weather", {})[name] = finished and app.session.tasks[-1].job.state == "done"


def _picture() -> int:
    image = bpy.context.scene.get("maquette_picture")
    return image.session_uid if image is not None else 0


def undo_a_cube() -> None:
    """A cube added and taken back."""
    with operator_context():
        bpy.ops.mesh.primitive_cube_add("EXEC_DEFAULT", True)
        bpy.ops.ed.undo()


def redo() -> None:
    """A cube added, taken back, and there again."""
    with operator_context():
        bpy.ops.mesh.primitive_cube_add("EXEC_DEFAULT", True, location=(0.0, 40.0, 0.0))
        bpy.ops.ed.undo()
        bpy.ops.ed.redo()


def rename() -> None:
    """A region, the camera and the scene get other names."""
    bpy.data.objects["rocket"].name = "missile"
    bpy.data.objects["missile"].maquette_phrase = "rocket"
    bpy.context.scene.camera.name = "Eye"
    bpy.context.scene.name = "Stage"
    bpy.ops.ed.undo_push(message="rename")


def delete() -> None:
    """A region is gone."""
    bpy.data.objects.remove(bpy.data.objects["missile"])
    bpy.ops.ed.undo_push(message="delete")


def delete_a_region(app, report: dict) -> Iterator:
    """The object of a region is deleted while the picture that shows it is painted."""
    yield from during_a_job(app, "deletion", delete, report)
    yield from project()
    report["projected without the rocket"] = "maquette_slots" in bpy.data.objects["castle"]
    press("remove_results")
    bpy.context.scene.maquette_prompt, bpy.context.scene.maquette_steps = PROMPT, STEPS


def open_again(app, saved: Path, report: dict) -> Iterator:
    """The file is opened anew during a job, and the picture arrives in it."""
    yield from begin(app)
    with operator_context():
        bpy.ops.wm.open_mainfile(filepath=str(saved))
    earlier = _picture()
    yield lambda: app.session.tasks[-1].received
    report["arrived again"] = _picture() != earlier and app.session.notice is None
    yield from arrange()


def other_files(app, folder: Path, report: dict) -> Iterator:
    """File > Open and File > New during a job: it is over there what it was here, and the picture is not lost."""
    saved, other = folder / "saved.blend", folder / "other.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(other), copy=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(saved), check_existing=False)
    yield from open_again(app, saved, report)
    for name, leave in (("open", lambda: bpy.ops.wm.open_mainfile(filepath=str(other))), ("new", _new_file)):
        bpy.context.scene.maquette_seed = len(name)  # another picture than any before it
        files = _files(app)
        yield from begin(app)
        with operator_context():
            leave()
        yield from rest(0.5)  # Blender itself calls a file changed until its window has settled
        before = sample_scene.fingerprint()
        yield from notices(app, "scene-gone")
        yield lambda: not app.session.waiting
        report.setdefault("other file", {})[name] = (app.session.notice.message, sample_scene.changed(before))
        report.setdefault("kept", {})[name] = history_since(app, files)
        yield from rest(0.5)
        report.setdefault("still developing", []).append(
            [app.preview_image.icon, app.preview_image.texture is not None]
        )
        press("dismiss")
    with operator_context():
        bpy.ops.wm.open_mainfile(filepath=str(saved))
    yield from arrange()


def history_since(app, files: set[Path]) -> list:
    """What the history on disk has beyond these files: their kinds, and of the last job the words and the seed."""
    stem = app.session.tasks[-1].picture.stem
    entry = app.gallery.entry(bpy.context.scene, stem)
    kinds = sorted(path.suffix for path in _files(app) - files if path.stem == stem)
    return [kinds, entry.settings.prompt, entry.request.seed]


def _files(app) -> set[Path]:
    return set(app.gallery.folder.iterdir())


def _new_file() -> None:
    bpy.ops.wm.read_homefile()


def disable_the_add_on(command: str, report: dict) -> Iterator:
    """The add-on is disabled during a job, and enabled again; sends back the new application."""
    bpy.context.scene.maquette_seed = 77
    files, earlier = _files(bpy.types.WindowManager.maquette), _picture()
    yield from begin(bpy.types.WindowManager.maquette)
    bpy.ops.preferences.addon_disable(module=ADDON)
    bpy.ops.preferences.addon_enable(module=ADDON)
    use_server(command)
    app = bpy.types.WindowManager.maquette
    report["owed when enabled"] = [task.job.seed for task in app.session.waiting]
    yield lambda: app.session.link.name == "absent"
    press("start_server")
    yield lambda: app.session.link.name == "online"
    yield lambda: app.session.tasks[-1].received  # what was asked for before
    report["switched off"] = (app.session.tasks[-1].job.state, _picture() != earlier, history_since(app, files))
    return app


def kill_the_server(app, folder: Path, report: dict) -> Iterator:
    """The server dies during a job; started again, it paints that job."""
    earlier = _picture()
    yield from begin(app)
    before = sample_scene.fingerprint()
    app.server.kill()
    yield lambda: app.session.link.name == "died"
    yield from arrange()
    yield from screenshot(folder / "server-died.png")
    report["after the server died"] = (app.session.link.notice.message, sample_scene.changed(before))
    press("start_server")
    yield lambda: _picture() != earlier
    report["painted after all"] = app.session.tasks[-1].job.state


def use_server(command: str) -> None:
    """What the artist types into the preferences; Blender forgets it with the add-on."""
    bpy.context.preferences.addons[ADDON].preferences.command = command
