# SPDX-License-Identifier: MIT
"""What an artist finds who updates: a .blend, a history, pending pictures and a queue of an earlier release.

    python use_release.py ZIP SERVER_COMMAND RELEASE      (a Python with bpy; RELEASE: a copy of a folder of fixtures)

The caller has put the release's ``user`` into the extension's user folder below BLENDER_USER_RESOURCES, and set
MAQUETTE_HOME to its ``home``. Ends with "all of it opens", or with a trace.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import bpy

MEASURED = {"mask", "centroid", "size", "visible"}  # of a region, on the picture's own grid
MODULE = "bl_ext.user_default.maquette"


def main(zipped: str, command: str, release: str) -> None:
    """Install today's zip, and look at everything."""
    bpy.ops.extensions.package_install_files(filepath=zipped, repo="user_default", enable_on_install=True)
    app = bpy.types.WindowManager.maquette
    bpy.context.preferences.addons[MODULE].preferences.command = command
    pending = [task.job.id for task in app.session.tasks]
    withdrawn = set(app.session.cancelling)
    assert len(pending) >= 5 and len(app.session.cancelling) == 1, app.session
    assert app.style_library.find("Mine") is not None and app.style_library.faults == ()
    bpy.ops.wm.open_mainfile(filepath=str(Path(release) / "scene.blend"))
    scene = bpy.context.scene
    read_settings(scene)
    read_results(scene, app)
    receive_pending(app, withdrawn)
    paint_the_same(scene, app)
    take_away(scene)
    child = app.server
    assert bpy.ops.maquette.stop_server() == {"FINISHED"}
    child.wait()
    assert bpy.ops.preferences.addon_disable(module=MODULE) == {"FINISHED"}
    print("all of it opens in", bpy.app.version_string, flush=True)


def read_settings(scene: bpy.types.Scene) -> None:
    """Every property that the release's artist set, by today's names for it."""
    names = ("negative", "model", "style", "seed", "steps", "size", "count", "follow", "exact", "vary", "strength")
    values = {name: getattr(scene, f"maquette_{name}") for name in names}
    assert values == {
        "negative": "fog",
        "model": "toybox",
        "style": "Mine",
        "seed": 41,
        "steps": 4,
        "size": 50,
        "count": 2,
        "follow": True,
        "exact": True,
        "vary": True,
        "strength": 0.75,
    }, values
    assert scene.maquette_prompt == "a castle and a rocket beside a tree on a meadow"
    castle, rocket, barrel = (scene.objects[name] for name in ("castle", "rocket", "barrel"))
    assert (castle.maquette_phrase, castle.maquette_enforce, castle["maquette_together"]) == ("castle", {"shape"}, True)
    assert rocket.maquette_enforce == {"shape", "centroid", "size"} and rocket["maquette_region"]
    assert barrel.maquette_off and not castle.maquette_off
    grove = bpy.data.collections["Grove"]
    assert (grove.maquette_phrase, grove.maquette_enforce) == ("tree", {"centroid", "size"})


def read_results(scene: bpy.types.Scene, app: object) -> None:
    """The picture with its request, the history, the background and the view."""
    blockout, answers = (import_module(f"{MODULE}.protocol.{name}") for name in ("blockout", "answers"))
    loads = import_module(f"{MODULE}.protocol.strict_json").loads
    picture = scene["maquette_picture"]
    request = loads(blockout.Blockout, picture["maquette_request"])
    achieved = loads(tuple[answers.Achieved, ...], picture["maquette_achieved"])
    assert [region.name for region in request.regions] == [one.name for one in achieved]
    assert len(picture["maquette_pose"]) == 32 and picture["maquette_camera"] == scene.camera
    assert [item.favourite for item in scene.maquette_history] == [True, False]
    for item in scene.maquette_history:
        entry = app.gallery.entry(scene, item.name)
        assert entry.name == item.name and entry.settings.camera.camera == "Camera"
        assert (app.gallery.folder / f"{item.name}.json").exists()
    assert scene.maquette_history[-1].name == picture["maquette_entry"]
    (slide,) = scene.camera.data.background_images
    assert slide.image == picture
    assert [item.name for item in bpy.data.objects if "maquette_projector" in item] == ["View 1"]


def receive_pending(app: object, withdrawn: set[str]) -> None:
    """The earlier server's jobs end in today's; their pictures go to the history, for their file is elsewhere.

    The one that was cancelled meanwhile is cancelled once the server is met, unless it was painted by then.
    """
    assert bpy.ops.maquette.start_server() == {"FINISHED"}
    settled = lambda session: session.link.name == "online" and not session.unfetched and not session.cancelling  # noqa: E731
    app.event_loop.wait(app.dispatcher.until(settled))
    states = {task.job.id: task.job.state for task in app.session.tasks}
    assert {state for job, state in states.items() if job not in withdrawn} == {"done"}, states
    assert {states[job] for job in withdrawn} <= {"cancelled", "done"}, states
    landed = app.session.receivable
    assert len(landed) == sum(state == "done" for state in states.values())
    for task in landed:
        assert bpy.ops.maquette.receive(job=task.job.id) == {"CANCELLED"}
        assert app.session.notice.code == "scene-gone", app.session.notice
    assert all((app.gallery.folder / f"{task.picture.stem}.json").exists() for task in landed)
    assert bpy.ops.maquette.dismiss() == {"FINISHED"}


def paint_the_same(scene: bpy.types.Scene, app: object) -> None:
    """Generate asks for what it asked for then, with what came since (masks, shaped noise, emphasis) switched off; in
    another size, for Toybox's own has doubled, and at the scale that its revision of today wants."""
    first = scene.maquette_history[0]
    request = json.loads(first.text)["request"]
    scene.maquette_exact, scene.maquette_vary, scene.maquette_count = False, False, 1
    scene.maquette_masks, scene.maquette_noise, scene.maquette_emphasis = 0.0, 0, 0.0
    (app.gallery.folder / f"{first.name}.png").unlink()  # a picture that is there is offered, not painted again
    assert bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    picture = scene["maquette_picture"]
    asked = json.loads(picture["maquette_request"])
    changed = {key for key in asked | request if asked.get(key) != request.get(key)}
    assert changed <= {"width", "height", "scale", "frame", "regions"}, changed
    assert [asked["scale"]] == [model.scale for model in app.session.link.models if model.name == request["model"]]
    for before, now in zip(request["regions"], asked["regions"], strict=True):
        assert all(abs(a - b) < 0.02 for a, b in zip(now["centroid"], before["centroid"], strict=True)), now["name"]
        other = {key for key in now | before if now.get(key) != before.get(key)}
        assert other <= MEASURED, other
    (slide,) = scene.camera.data.background_images
    assert slide.image == picture, "the background follows, as it was told to"


def take_away(scene: bpy.types.Scene) -> None:
    """Remove All knows what the earlier release put into the scene."""
    assert bpy.ops.maquette.remove_results() == {"FINISHED"}
    kinds = (bpy.data.objects, bpy.data.cameras, bpy.data.materials)
    keys = {key for kind in kinds for item in kind for key in item.keys()}  # noqa: SIM118 (no dict: it has no __iter__)
    removed = {f"maquette_{name}" for name in ("projector", "thrown", "slots", "background", "result")}
    assert keys & removed == set(), keys & removed
    assert not scene.camera.data.background_images
    assert not any(item.name.startswith("View") for item in scene.objects)


if __name__ == "__main__":
    main(*(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]))
