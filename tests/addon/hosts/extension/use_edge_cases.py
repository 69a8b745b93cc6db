# SPDX-License-Identifier: MIT
"""What an artist does now and then, by operator: files closed and opened again, cameras that are none, toggles."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import bpy


def use_edge_cases(scene: bpy.types.Scene, app: object) -> None:
    """From a scene that paints back to one. Needs a server that runs, and two cubes, castle and rocket, selected."""
    come_home(scene, app)
    hover()
    look_through_no_camera(scene, app)
    mark_and_toggle(scene, app)


def come_home(scene: bpy.types.Scene, app: object) -> None:
    """A picture whose file was closed and is open again: by its path and names it finds its scene and camera."""
    bpy.ops.wm.save_as_mainfile(filepath=str(app.folder / "home.blend"))
    assert bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    pictures = [image for image in bpy.data.images if image.get("maquette_entry") is not None]
    assert all(image.users for image in pictures), "what nothing uses is in the history, and not in the file"
    task = app.session.tasks[-1]
    assert (task.view.origin.file, task.view.origin.scene) == (bpy.data.filepath, scene.name)
    for file, arrives in ((bpy.data.filepath, True), ("/elsewhere.blend", False), ("", False)):
        view = replace(task.view, scene=0, camera=0, origin=replace(task.view.origin, file=file))
        again = replace(task, view=view, received=False)
        tasks = (*app.session.tasks[:-1], again)
        app.dispatcher.apply(partial(replace, tasks=tasks, notice=None))
        scene["maquette_picture"] = None
        assert bpy.ops.maquette.receive(job=task.job.id) == ({"FINISHED"} if arrives else {"CANCELLED"})
        assert (scene["maquette_picture"] is not None) == arrives
        assert (app.session.notice is None) == arrives
    assert app.session.notice.code == "scene-gone"
    assert bpy.ops.maquette.show_entry(name=scene.maquette_history[-1].name) == {"FINISHED"}


def hover() -> None:
    """The tooltips of buttons that say more than their class does."""
    words = {
        "reuse": [{"what": what} for what in ("PROMPT", "SEED", "EVERYTHING")],
        "enforce": [{"what": what} for what in ("shape", "centroid", "size")],
        "switch_part": [{"part": part} for part in ("TARGETS", "ACHIEVED", "WORDS")],
        "turn_page": [{"older": True}, {"older": False}],
        "choose_model": [{"name": "toybox"}, {"name": "gone"}],
        "copy": [{"text": "all of a message"}],
        "choose_style": [{"name": "Sunset"}, {"name": ""}, {"name": "gone"}],
    }
    ours = [name for name in dir(bpy.types) if name.startswith("MAQUETTE_OT_")]
    described = {name for name in ours if "description" in vars(getattr(bpy.types, name))}
    assert described == {f"MAQUETTE_OT_{name}" for name in words}, described
    for name, handed in words.items():
        operator = getattr(bpy.types, f"MAQUETTE_OT_{name}")
        descriptions = [operator.description(bpy.context, SimpleNamespace(**one)) for one in handed]
        assert all(descriptions), (name, descriptions)


def look_through_no_camera(scene: bpy.types.Scene, app: object) -> None:
    """Blender lets a scene look through anything; what needs a camera says so."""
    camera, name = scene.camera, scene.maquette_history[-1].name
    scene.camera = scene.objects["castle"]
    for act in (bpy.ops.maquette.generate, bpy.ops.maquette.fit_camera, bpy.ops.maquette.flatten_camera):
        assert act() == {"CANCELLED"}
        assert app.session.notice.code == "no-camera", app.session.notice
    assert bpy.ops.maquette.reuse(name=name, what="EVERYTHING") == {"FINISHED"}
    assert app.session.notice.code == "camera-elsewhere"
    assert bpy.ops.maquette.show_entry(name=name) == {"FINISHED"}
    assert bpy.ops.maquette.restore_camera(name=name) == {"FINISHED"}
    assert scene.camera == camera
    other = bpy.data.objects.new("Other", camera.data.copy())
    scene.collection.objects.link(other)
    scene.camera, camera.location.x = other, camera.location.x + 1.0
    bpy.context.view_layer.update()
    assert bpy.ops.maquette.project() == {"CANCELLED"}
    assert app.session.notice.code == "displaced"
    assert bpy.ops.maquette.restore_camera(name=app.session.notice.subject) == {"FINISHED"}
    assert scene.camera == camera and not any(other.location)
    bpy.data.objects.remove(other)


def mark_and_toggle(scene: bpy.types.Scene, app: object) -> None:
    """What to keep is switched one by one; what is marked stays as it is; what another file owns cannot be marked."""
    castle = scene.objects["castle"]
    uid = str(castle.session_uid)
    assert bpy.ops.maquette.enforce(uid=uid, what="size") == {"FINISHED"}
    assert castle["maquette_enforce"] == "shape size"
    assert bpy.ops.maquette.enforce(uid=uid, what="shape") == {"FINISHED"}
    assert castle["maquette_enforce"] == "size"
    assert bpy.ops.maquette.add_selected() == {"FINISHED"}
    assert castle["maquette_enforce"] == "size"
    castle["maquette_enforce"] = "shape"
    assert bpy.ops.maquette.enforce(uid="1", what="size") == {"CANCELLED"}
    bpy.ops.maquette.switch_part(part="WORDS")
    assert bpy.context.window_manager.maquette_overlay_parts == {"TARGETS", "ACHIEVED"}
    bpy.ops.maquette.switch_part(part="WORDS")
    other = str(app.folder / "other.blend")
    bpy.ops.wm.save_as_mainfile(filepath=other, copy=True)
    with bpy.data.libraries.load(other, link=True) as (_, data_to):
        data_to.objects = ["Plane"]
    scene.collection.objects.link(data_to.objects[0])
    data_to.objects[0].select_set(True)
    assert bpy.ops.maquette.add_selected() == {"CANCELLED"}
    assert app.session.notice.code == "locked-object"
    bpy.data.libraries.remove(bpy.data.libraries[-1])
    assert bpy.ops.maquette.dismiss() == {"FINISHED"}
