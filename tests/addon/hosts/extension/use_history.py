# SPDX-License-Identifier: MIT
"""What an artist does with the history, by operator: reuse, show, keep, save and delete one picture."""

from pathlib import Path

import bpy


def take_up_again(scene: bpy.types.Scene, app: object, prompt: str) -> None:
    """The history: what was painted, reused, shown, kept, saved and deleted; by undo, and in a saved file."""
    history, act, folder = scene.maquette_history, bpy.ops.maquette, app.gallery.folder
    assert [item.prompt for item in history] == [prompt]
    name = history[0].name
    assert {path.suffix for path in folder.glob(f"{name}.*")} == {".png", ".json"}
    assert app.gallery.entry(scene, name).settings.style == "Sunset"

    scene.maquette_prompt, scene.maquette_style, scene.maquette_seed, scene.maquette_steps = "a", "", 1, 2
    assert act.reuse(name=name, what="SEED") == {"FINISHED"}
    assert (scene.maquette_seed, scene.maquette_prompt) == (7, "a")
    assert act.reuse(name=name, what="EVERYTHING") == {"FINISHED"}
    assert (scene.maquette_prompt, scene.maquette_style, scene.maquette_steps) == (prompt, "Sunset", 5)
    assert app.session.notice is None
    scene.camera.location.x += 1.0
    bpy.context.view_layer.update()
    assert act.reuse(name=name, what="EVERYTHING") == {"FINISHED"}
    assert app.session.notice.code == "camera-elsewhere"
    assert act.restore_camera(name=name) == {"FINISHED"}
    assert abs(scene.camera.location.x) < 1e-5 and app.session.notice is None

    scene["maquette_picture"] = None
    assert act.show_entry(name=name) == {"FINISHED"}
    assert scene["maquette_picture"]["maquette_camera"] == scene.camera
    replaces_the_camera(scene, app, name)
    assert act.favour(name=name) == {"FINISHED"} and history[name].favourite
    assert (folder / f"{name}.favourite").exists()
    saved = folder.parent / "saved.png"
    assert act.save_entry(name=name, filepath=str(saved)) == {"FINISHED"}
    open_again(scene, app, saved, prompt)
    aside = folder.parent / "saved.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(aside), copy=True)
    with bpy.data.libraries.load(str(aside), link=True) as (data_from, data_to):
        data_to.scenes = list(data_from.scenes)
    assert [item.text for item in data_to.scenes[0].maquette_history] == [item.text for item in history]
    bpy.data.libraries.remove(bpy.data.libraries[-1])

    assert act.delete_entry(name=name) == {"FINISHED"}
    assert not history and not list(folder.glob(f"{name}.*"))
    assert act.reuse(name=name, what="SEED") == {"CANCELLED"}
    assert app.session.notice.code == "entry-gone"


def replaces_the_camera(scene: bpy.types.Scene, app: object, name: str) -> None:
    """A picture whose camera was deleted is projected through another that is put in its place; a scene's copy has a
    picture of its own, through its own camera."""
    act, deleted = bpy.ops.maquette, scene.camera.name
    pose, data = scene.camera.matrix_world.copy(), scene.camera.data
    bpy.data.objects.remove(scene.camera)
    assert act.project() == {"CANCELLED"} and app.session.notice.code == "displaced", app.session.notice
    camera = bpy.data.objects.new(deleted, data)
    scene.collection.objects.link(camera)
    scene.camera, camera.matrix_world = camera, pose
    bpy.context.view_layer.update()
    assert act.restore_camera(name=app.session.notice.subject) == {"FINISHED"}, app.session.notice
    assert scene["maquette_picture"]["maquette_camera"] == camera
    assert act.project() == {"FINISHED"}, app.session.notice
    bpy.ops.scene.new(type="FULL_COPY")
    copied = bpy.context.scene
    assert act.show_entry(name=name) == {"FINISHED"}, app.session.notice
    assert copied["maquette_picture"]["maquette_camera"] == copied.camera != camera
    assert scene["maquette_picture"]["maquette_camera"] == camera
    bpy.data.scenes.remove(copied)
    bpy.context.window.scene = scene
    assert act.remove_results() == {"FINISHED"}


def open_again(scene: bpy.types.Scene, app: object, file: Path, prompt: str) -> None:
    """A saved picture brings back what it was asked for; where a region of it is missing, that is said."""
    castle, rocket, camera = scene.objects["castle"], scene.objects["rocket"], scene.camera
    place = camera.location.copy()
    scene.maquette_prompt, scene.maquette_seed, scene.maquette_steps, scene.maquette_style = "a", 1, 2, ""
    castle["maquette_phrase"], rocket["maquette_region"] = "keep", False
    camera.location.x += 1.0
    bpy.context.view_layer.update()
    assert bpy.ops.maquette.open_request(filepath=str(file)) == {"FINISHED"}
    assert app.session.notice is None, app.session.notice
    assert (scene.maquette_prompt, scene.maquette_style, scene.maquette_steps) == (prompt, "Sunset", 5)
    assert (scene.maquette_seed, scene.maquette_vary) == (7, False)
    assert (castle["maquette_phrase"], rocket["maquette_region"]) == ("castle", True)
    assert (camera.location - place).length < 1e-5
    rocket.name = "missile"
    assert bpy.ops.maquette.open_request(filepath=str(file)) == {"FINISHED"}
    assert app.session.notice.code == "opened-in-part" and "“rocket”" in app.session.notice.message
    rocket.name, width = "rocket", scene.render.resolution_x
    scene.render.resolution_x = 2 * width
    assert bpy.ops.maquette.open_request(filepath=str(file)) == {"FINISHED"}
    assert "the format of" in app.session.notice.message and "rocket" not in app.session.notice.message
    scene.render.resolution_x = width
    assert bpy.ops.maquette.open_request(filepath=str(file.with_name("none.png"))) == {"CANCELLED"}
    assert app.session.notice.code == "no-request"
    assert bpy.ops.maquette.dismiss() == {"FINISHED"}
