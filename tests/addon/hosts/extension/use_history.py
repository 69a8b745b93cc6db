# SPDX-License-Identifier: MIT
"""What an artist does with the history, by operator: reuse, show, keep, save and delete one picture."""

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
    assert act.favour(name=name) == {"FINISHED"} and history[name].favourite
    assert (folder / f"{name}.favourite").exists()
    saved = folder.parent / "saved.png"
    assert act.save_entry(name=name, filepath=str(saved)) == {"FINISHED"}
    assert saved.read_bytes() == (folder / f"{name}.png").read_bytes()
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
