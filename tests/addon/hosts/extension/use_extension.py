# SPDX-License-Identifier: MIT
"""What an artist does with the extension, by operator, in whatever Blender runs this file.

    python use_extension.py ZIP SERVER_COMMAND      (a Python with bpy)
    blender -b --python use_extension.py -- ZIP SERVER_COMMAND

The caller sets BLENDER_USER_RESOURCES and MAQUETTE_HOME to empty folders. Ends with "used twice", or with a trace.
"""

import json
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from sample_scenes import fingerprint
from use_edge_cases import ask_early, ask_unheard, use_edge_cases
from use_fixes import use_fixes
from use_history import take_up_again
from use_messages import use_messages
from use_styles import choose
from use_views import paint_and_bake, use_sequences

PROMPT = "a castle and a rocket on a meadow"


def main(zipped: str, command: str) -> None:
    """Install, enable, use, disable; and again, for what the first round left behind must not hurt the second."""
    for round_ in (1, 2):
        classes = _classes()
        bpy.ops.extensions.package_install_files(
            filepath=zipped, repo="user_default", enable_on_install=True, overwrite=True
        )
        own = bpy.context.preferences.addons["bl_ext.user_default.maquette"].preferences
        assert own.command == ("" if round_ == 1 else command), "what was set survives disabling"
        use(command)
        assert bpy.ops.preferences.addon_disable(module="bl_ext.user_default.maquette") == {"FINISHED"}
        assert _classes() == classes, _classes() - classes
        assert not hasattr(bpy.types.Scene, "maquette_prompt")
        assert not hasattr(bpy.types.WindowManager, "maquette")
        print("round", round_, "ok", flush=True)
    print("used twice in", bpy.app.version_string, flush=True)


def use(command: str) -> None:
    """From an empty file to a projected picture and back."""
    block_out()
    scene, app = bpy.context.scene, bpy.types.WindowManager.maquette
    for file in app.gallery.folder.glob("*.*"):  # what the first round painted would be passed over by the second
        file.unlink()
    go_wrong(scene, app)
    start_server(app, command)
    ask_early(scene, app)
    scene.maquette_seed, scene.maquette_steps = 7, 5
    choose(scene, app)
    before = materials(scene)
    paint_first(scene, app)
    assert materials(scene) == before, (before, materials(scene))

    use_sequences(scene, app)
    take_up_again(scene, app, PROMPT)
    ask_for_several(scene, app)
    use_edge_cases(scene, app)
    use_messages(scene, app)
    capture_exactly(scene, app)
    stack_views(scene)
    assert materials(scene) == before, (before, materials(scene))
    assert not scene.camera.data.background_images
    scene.camera.location.x += 1.0
    assert bpy.ops.maquette.project() == {"CANCELLED"}
    assert app.session.notice.code in ("displaced", "misfit"), app.session.notice

    scene.camera.location.x -= 1.0
    use_fixes(app)
    paint_and_bake(scene, app)
    child = app.server
    assert bpy.ops.maquette.stop_server() == {"FINISHED"}
    assert child.wait() in (0, -15)  # however long its worker takes to leave: the caller has the patience


def go_wrong(scene: bpy.types.Scene, app: object) -> None:
    """Generate with something missing each time, until only the server is."""
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    assert "camera" in app.session.notice.message, app.session.notice
    add_camera(scene)
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    assert app.session.notice.code == "nothing-marked", app.session.notice
    assert bpy.ops.maquette.add_selected() == {"FINISHED"}
    hold(scene.objects["castle"])
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    assert app.session.notice.code == "phrase-missing", app.session.notice
    scene.maquette_prompt = PROMPT
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    assert app.session.link.name == "absent", app.session.link
    ask_unheard(scene, app)


def hold(castle: bpy.types.Object) -> None:
    """Silhouette at first; Loose and back; one property by itself; a colour, and none."""
    uid = str(castle.session_uid)
    assert castle.maquette_enforce == {"shape"}
    for what, enforced in (("loose", {"centroid", "size"}), ("shape", {"shape", "centroid", "size"})):
        assert bpy.ops.maquette.enforce(uid=uid, what=what) == {"FINISHED"}
        assert castle.maquette_enforce == enforced
    assert bpy.ops.maquette.enforce(uid=uid, what="silhouette") == {"FINISHED"}
    assert castle.maquette_enforce == {"shape"} and castle["maquette_enforce"] == "shape"
    assert bpy.ops.maquette.colour_region(uid=uid) == {"FINISHED"}
    assert len(castle["maquette_colour"]) == 3 and castle.maquette_strength == 1.0
    assert bpy.ops.maquette.colour_region(uid=uid) == {"FINISHED"}
    assert castle.get("maquette_colour") is None and castle.get("maquette_strength") is None


def start_server(app: object, command: str) -> None:
    """An address that is refused, a program that is not there, then a server of our own, once."""
    preferences = bpy.context.preferences.addons["bl_ext.user_default.maquette"].preferences
    preferences.address = "http://localhost.evil.example:8000"
    assert bpy.ops.maquette.generate() == {"CANCELLED"}
    assert "another machine" in app.session.notice.message, app.session
    assert bpy.ops.maquette.start_server() == {"CANCELLED"}
    assert (app.server, app.session.notice.code) == (None, "address-set"), app.session
    preferences.address = ""
    preferences.command = "no-such-program-here serve"
    assert bpy.ops.maquette.start_server() == {"CANCELLED"}
    preferences.command = command
    assert bpy.ops.maquette.start_server() == {"FINISHED"}
    child = app.server
    assert bpy.ops.maquette.start_server() == {"CANCELLED"}
    assert (app.server, app.session.notice.code) == (child, "server-runs"), app.session


def paint_first(scene: bpy.types.Scene, app: object) -> None:
    """The first picture: what was asked for, no more, and kept in the file."""
    untouched(scene, app)
    picture = scene["maquette_picture"]
    request = json.loads(picture["maquette_request"])
    assert (request["prompt"], request["seed"], request["steps"]) == (f"{PROMPT} at sunset", 7, 5)
    assert request["negative"] == ""
    assert [region["phrase"] for region in request["regions"]] == ["castle", "rocket"]
    assert tuple(picture.size) == (request["frame"]["width"], request["frame"]["height"])
    assert picture.packed_file is not None
    assert bpy.ops.maquette.save_style(name="Pictured", text="at sunset") == {"FINISHED"}
    assert app.style_library.thumbnail("Pictured").parent == app.style_folder
    app.style_icon("Pictured")  # which without a window is no number to look at
    assert bpy.ops.maquette.delete_style() == {"FINISHED"}
    assert not list(app.style_folder.glob("pictured*"))
    scene.maquette_style = "Sunset"


def untouched(scene: bpy.types.Scene, app: object) -> None:
    """A job from Generate to its picture; of the whole file, only what the picture brings with it is new."""
    receive, states = bpy.types.MAQUETTE_OT_receive.execute, {}

    def looking(operator: bpy.types.Operator, context: bpy.types.Context) -> set[str]:
        states["painted"] = fingerprint()
        return receive(operator, context)

    bpy.context.view_layer.update()
    before = fingerprint()
    bpy.types.MAQUETTE_OT_receive.execute = looking
    try:
        assert bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    finally:
        bpy.types.MAQUETTE_OT_receive.execute = receive
    assert changes(before, states["painted"]) == {}, changes(before, states["painted"])
    assert scene.maquette_seed == 8
    image, history = scene["maquette_picture"].name_full, ("scenes", scene.name_full, "maquette_history")
    allowed = {("file", "images"), ("file", "dirty"), ("scenes", scene.name_full, "own"), ("images", image), history}
    brought = {key for key in changes(states["painted"], fingerprint()) if not {key, key[:2], key[:3]} & allowed}
    assert brought == set(), brought


def changes(before: dict, after: dict) -> dict:
    """What differs between two fingerprints."""
    return {key: (before.get(key), after.get(key)) for key in before | after if before.get(key) != after.get(key)}


def capture_exactly(scene: bpy.types.Scene, app: object) -> None:
    """A picture of what a render shows, which the view does not; the open file stays as it is."""
    castle = scene.objects["castle"]
    castle.modifiers.new("Subdivision", "SUBSURF").levels = 0
    castle.modifiers["Subdivision"].render_levels = 3
    scene.maquette_exact = True
    before = (bpy.data.filepath, bpy.data.is_dirty, bpy.data.is_saved, scene.render.engine, len(bpy.data.objects))
    assert bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    after = (bpy.data.filepath, bpy.data.is_dirty, bpy.data.is_saved, scene.render.engine, len(bpy.data.objects))
    assert before == after, (before, after)
    assert app.session.notice.warning and "“castle”" in app.session.notice.message, app.session.notice
    assert "rocket" not in app.session.notice.message
    assert not list(Path(bpy.app.tempdir).glob("maquette-*"))
    scene.maquette_exact = False
    castle.modifiers.clear()
    assert bpy.ops.maquette.dismiss() == {"FINISHED"}


def ask_for_several(scene: bpy.types.Scene, app: object) -> None:
    """Two pictures at one press, with seeds one after the other, that keep away from something."""
    scene.maquette_count, scene.maquette_seed, scene.maquette_negative = 2, 2**31 - 1, "fog"
    assert bpy.ops.maquette.generate() == {"FINISHED"}, app.session
    requests = [json.loads(task.request) for task in app.session.tasks[-2:]]
    assert [(one["seed"], one["negative"]) for one in requests] == [(2**31 - 1, "fog"), (0, "fog")]
    assert all(task.received for task in app.session.tasks)
    scene.maquette_negative = ""
    name = scene.maquette_history[-1].name
    assert bpy.ops.maquette.reuse(name=name, what="PROMPT") == {"FINISHED"}
    assert (scene.maquette_negative, scene.maquette_seed) == ("fog", 2**31 - 1)
    assert bpy.ops.maquette.copy_entry(name=name) == {"FINISHED"}
    assert bpy.ops.maquette.copy(text="what happened") == {"FINISHED"}
    scene.maquette_count, scene.maquette_seed, scene.maquette_negative = 1, 7, ""


def stack_views(scene: bpy.types.Scene) -> None:
    """Two views over each other and a background that follows; each comes off by itself, and then all of it."""
    camera, first = scene.camera, scene["maquette_picture"]
    before = materials(scene)
    assert bpy.ops.maquette.background() == {"FINISHED"}
    assert bpy.ops.maquette.project() == {"FINISHED"}
    assert materials(scene) != before
    scene.maquette_follow = True
    location = camera.location.copy()
    camera.location.x += 2.0
    assert bpy.ops.maquette.generate() == {"FINISHED"}
    (slide,) = camera.data.background_images
    assert slide.image == scene["maquette_picture"] != first
    assert bpy.ops.maquette.project() == {"FINISHED"}
    views = [obj for obj in scene.objects if "maquette_projector" in obj]
    assert [view.name for view in views] == ["View 1", "View 2"]
    older, newer = (str(view.session_uid) for view in views)
    assert bpy.ops.maquette.switch_view(uid=newer) == {"FINISHED"}
    assert bpy.ops.maquette.bring_camera(uid=older) == {"FINISHED"}
    bpy.context.view_layer.update()
    assert (camera.location - location).length < 1e-5
    assert bpy.ops.maquette.remove_view(uid=older) == {"FINISHED"}
    assert materials(scene) == before  # for the newer one is off
    assert bpy.ops.maquette.switch_view(uid=newer) == {"FINISHED"}
    assert materials(scene) != before
    assert bpy.ops.maquette.remove_background() == {"FINISHED"}
    assert not camera.data.background_images and materials(scene) != before
    assert bpy.ops.maquette.background.poll() and not bpy.ops.maquette.remove_background.poll()
    assert bpy.ops.maquette.remove_results() == {"FINISHED"}
    assert not any("maquette_projector" in obj for obj in scene.objects)


def block_out() -> None:
    """Two marked-to-be cubes on a plane, no camera."""
    bpy.ops.wm.read_homefile(use_empty=True)
    for name, x in (("castle", -1.5), ("rocket", 1.5)):
        bpy.ops.mesh.primitive_cube_add(size=2.0, location=(x, 0.0, 1.0))
        bpy.context.object.name = name
    bpy.ops.mesh.primitive_plane_add(size=20.0)
    for obj in bpy.context.scene.objects:
        obj.select_set(obj.name in ("castle", "rocket"))


def add_camera(scene: bpy.types.Scene) -> None:
    """A camera in front of the cubes."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location, camera.rotation_euler = (0.0, -10.0, 3.0), (1.35, 0.0, 0.0)
    scene.collection.objects.link(camera)
    scene.camera = camera


def materials(scene: bpy.types.Scene) -> dict[str, list[str]]:
    """Every object's materials, by name."""
    return {
        obj.name: [slot.material.name if slot.material else "" for slot in obj.material_slots]
        for obj in scene.objects
        if obj.type == "MESH"
    }


def _classes() -> set[str]:
    return {name for name in dir(bpy.types) if name.lower().startswith("maquette")}


if __name__ == "__main__":
    started = time.monotonic()
    main(*(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]))
    print(f"{time.monotonic() - started:.1f} s")
