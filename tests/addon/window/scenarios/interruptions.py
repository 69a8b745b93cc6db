# SPDX-License-Identifier: MIT
"""What may happen to Blender while a picture is painted; each time the job survives, or says what happened."""

from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

from tests.addon.window.scenarios import sample_scene
from tests.addon.window.scenarios.user_input import arrange, ask, press, rest, seat, shoot
from tests.addon.window.scenarios.walkthrough import PROMPT, notices

ADDON = "bl_ext.user_default.maquette"


def storm(app, command: str, shots: Path, report: dict) -> Iterator:
    """Edits, undo, other files, the add-on switched off, the server killed: each during a job of its own."""
    for name, act in (("undo", undone), ("redo", redo), ("rename", rename)):
        yield from weather(app, name, act, report)
    yield from losses(app, report)
    yield from other_files(app, shots, report)
    app = yield from switched_off(command, report)
    yield from killed(app, shots, report)


def begin(app) -> Iterator:
    """Press Generate, and wait until the picture is being painted."""
    yield from ask(app)
    yield lambda: app.session.tasks[-1].job.step > 1 or app.session.tasks[-1].ended


def weather(app, name: str, act: Callable[[], None], report: dict) -> Iterator:
    """Something the artist does during a job changes what it changes, and nothing else; the picture arrives."""
    earlier = _picture()
    yield from begin(app)
    act()
    before = sample_scene.fingerprint()
    yield lambda: app.session.tasks[-1].ended or sample_scene.changed(before)
    whole = app.session.tasks[-1].ended
    report.setdefault("weathered", {})[name] = [] if whole else sample_scene.changed(before)
    yield lambda: _picture() != earlier
    report.setdefault("weather", {})[name] = whole and app.session.tasks[-1].job.state == "done"


def _picture() -> int:
    image = bpy.context.scene.get("maquette_picture")
    return image.session_uid if image is not None else 0


def undone() -> None:
    """A cube added and taken back."""
    with seat():
        bpy.ops.mesh.primitive_cube_add()
        bpy.ops.ed.undo()


def redo() -> None:
    """A cube added, taken back, and there again."""
    with seat():
        bpy.ops.mesh.primitive_cube_add(location=(0.0, 40.0, 0.0))
        bpy.ops.ed.undo()
        bpy.ops.ed.redo()


def rename() -> None:
    """A region, the camera and the scene get other names."""
    bpy.data.objects["rocket"].name = "missile"
    bpy.data.objects["missile"].maquette_phrase = "rocket"
    bpy.context.scene.camera.name = "Eye"
    bpy.context.scene.name = "Stage"


def losses(app, report: dict) -> Iterator:
    """The object of a region is deleted while the picture that shows it is painted."""
    yield from weather(app, "deletion", lambda: bpy.data.objects.remove(bpy.data.objects["missile"]), report)
    press("project")
    report["projected without the rocket"] = "maquette_slots" in bpy.data.objects["castle"]
    press("remove_results")
    bpy.context.scene.maquette_prompt = PROMPT


def opened_again(app, saved: Path, report: dict) -> Iterator:
    """The file is opened anew during a job, and the picture arrives in it."""
    yield from begin(app)
    with seat():
        bpy.ops.wm.open_mainfile(filepath=str(saved))
    earlier = _picture()
    yield lambda: app.session.tasks[-1].received
    report["arrived again"] = _picture() != earlier and app.session.notice is None
    yield from arrange()


def other_files(app, shots: Path, report: dict) -> Iterator:
    """File > Open and File > New during a job: it is over there what it was here, and the picture is not lost."""
    saved, other = shots / "saved.blend", shots / "other.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(other), copy=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(saved), check_existing=False)
    yield from opened_again(app, saved, report)
    for name, leave in (("open", lambda: bpy.ops.wm.open_mainfile(filepath=str(other))), ("new", _new)):
        bpy.context.scene.maquette_seed = len(name)  # another picture than any before it
        known = _files(app)
        yield from begin(app)
        with seat():
            leave()
        yield from rest(0.5)  # Blender itself calls a file changed until its window has settled
        before = sample_scene.fingerprint()
        yield from notices(app, "scene-gone")
        yield lambda: not app.session.waiting
        report.setdefault("other file", {})[name] = (app.session.notice.message, sample_scene.changed(before))
        report.setdefault("kept", {})[name] = kept(app, known)
        yield from rest(0.5)
        report.setdefault("still developing", []).append(
            [app.preview_image.icon, app.preview_image.texture is not None]
        )
        press("dismiss")
    with seat():
        bpy.ops.wm.open_mainfile(filepath=str(saved))
    yield from arrange()


def kept(app, known: set[Path]) -> list:
    """What came into the history on disk: the kinds of files, and of the last job the words and the seed."""
    stem = app.session.tasks[-1].picture.stem
    entry = app.gallery.entry(bpy.context.scene, stem)
    kinds = sorted(path.suffix for path in _files(app) - known if path.stem == stem)
    return [kinds, entry.settings.prompt, entry.request.seed]


def _files(app) -> set[Path]:
    return set(app.gallery.folder.iterdir())


def _new() -> None:
    bpy.ops.wm.read_homefile()


def switched_off(command: str, report: dict) -> Iterator:
    """The add-on is disabled during a job, and enabled again; sends back the new desk."""
    bpy.context.scene.maquette_seed = 77
    known, earlier = _files(bpy.types.WindowManager.maquette), _picture()
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
    report["switched off"] = (app.session.tasks[-1].job.state, _picture() != earlier, kept(app, known))
    return app


def killed(app, shots: Path, report: dict) -> Iterator:
    """The server dies during a job; started again, it paints that job."""
    earlier = _picture()
    yield from begin(app)
    before = sample_scene.fingerprint()
    app.server.kill()
    yield lambda: app.session.link.name == "died"
    yield from arrange()
    yield from shoot(shots / "server-died.png")
    report["after the server died"] = (app.session.link.notice.message, sample_scene.changed(before))
    press("start_server")
    yield lambda: _picture() != earlier
    report["painted after all"] = app.session.tasks[-1].job.state


def use_server(command: str) -> None:
    """What the artist types into the preferences; Blender forgets it with the add-on."""
    bpy.context.preferences.addons[ADDON].preferences.command = command
