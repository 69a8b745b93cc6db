# SPDX-License-Identifier: MIT
"""An artist's hour in a real window, in seconds: run by Blender, it works the panel and takes pictures of the screen.

    blender --factory-startup --python drive.py -- ZIP SERVER_COMMAND FOLDER

Each step of ``story`` yields what it waits for; a timer looks whether it has come, so that Blender's own loop runs on
between the steps. Writes FOLDER/NAME.png for each screen and FOLDER/report.json at the end.
"""

import json
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path

import bpy

ADDON = "bl_ext.user_default.maquette"
PATIENCE = 150.0  # seconds for one step
FLOOR = (0.25, 0.3, 0.2, 1.0)
SOLIDS = {"castle": (0.5, 0.5, 0.5, 1.0), "rocket": (0.6, 0.25, 0.2, 1.0)}

BOXES = {  # centres and half sizes
    "castle": [
        ((-1.2, 1.2, 1.0), (1.3, 0.5, 1.0)),
        ((-2.3, 1.2, 1.5), (0.4, 0.5, 1.5)),
        ((-0.1, 1.2, 1.5), (0.4, 0.5, 1.5)),
    ],
    "rocket": [
        ((1.8, -0.4, 1.3), (0.4, 0.4, 1.3)),
        ((1.8, -0.4, 2.8), (0.2, 0.2, 0.4)),
        ((1.8, -0.4, 0.3), (0.8, 0.15, 0.3)),
    ],
}


def story(zipped: str, command: str, shots: Path, report: dict):
    """From an empty scene to a projected picture and back, the server's death and File > New included."""
    with seat():
        build_scene()
    bpy.ops.extensions.package_install_files(filepath=zipped, repo="user_default", enable_on_install=True)
    use_server(command)
    arrange()
    open_editor()
    desk = bpy.types.WindowManager.maquette
    watch_pauses(report)
    yield lambda: desk.session.link.name == "absent"
    yield from shoot(shots / "not-connected.png")

    press("generate")
    yield lambda: desk.session.notice is not None
    yield from shoot(shots / "nothing-marked.png")
    press("add_selected")
    press("start_server")
    yield lambda: desk.session.link.name == "online"
    bpy.context.scene.maquette_prompt = "a castle and a cactus on a meadow"
    press("generate")
    yield lambda: desk.session.notice is not None and desk.session.notice.code == "phrase-missing"
    yield from shoot(shots / "error.png")
    bpy.context.scene.maquette_prompt = "a castle and a rocket on a meadow"
    press("dismiss")
    yield from shoot(shots / "ready.png")

    before = fingerprint()
    press("generate")
    yield lambda: desk.session.active is not None and desk.session.active.job.step > 8
    report["untouched"] = fingerprint() == before
    yield from shoot(shots / "generating.png")
    press("generate")
    press("generate")
    yield lambda: len(desk.session.tasks) == 3
    press("cancel", scope="WAITING")
    yield lambda: "maquette_picture" in bpy.context.scene
    yield lambda: not desk.session.waiting
    report["states"] = [task.job.state for task in desk.session.tasks]
    yield from shoot(shots / "done.png")
    press("background")
    yield from shoot(shots / "background.png")
    press("project")
    look("PERSP", "MATERIAL")
    view().spaces.active.region_3d.view_rotation = (0.72, 0.58, 0.24, 0.30)
    yield from shoot(shots / "projected.png", settle=25.0)
    look("CAMERA", "SOLID")
    press("remove_results")
    with seat():
        bpy.ops.ed.undo()
    report["projected after undo"] = any("maquette_slots" in thing for thing in bpy.context.scene.objects)

    earlier = bpy.context.scene["maquette_picture"].session_uid
    yield from ask(desk)
    with seat():
        bpy.ops.mesh.primitive_cube_add()
        bpy.ops.ed.undo()
    bpy.data.objects.remove(bpy.data.objects["rocket"])
    yield lambda: bpy.context.scene["maquette_picture"].session_uid != earlier
    press("project")
    report["projected without the rocket"] = "maquette_slots" in bpy.data.objects["castle"]

    bpy.context.scene.maquette_prompt = "a castle"
    yield from ask(desk)
    bpy.ops.preferences.addon_disable(module=ADDON)
    bpy.ops.preferences.addon_enable(module=ADDON)
    use_server(command)
    desk = bpy.types.WindowManager.maquette
    yield lambda: desk.session.link.name == "absent"
    press("start_server")
    yield lambda: desk.session.link.name == "online"

    yield from ask(desk)
    with seat():
        bpy.ops.wm.read_homefile()
    yield lambda: not desk.session.waiting and desk.session.notice is not None
    yield lambda: desk.session.link.name == "online"
    report["after File > New"] = desk.session.notice.message
    desk.server.kill()
    yield lambda: desk.session.link.name == "died"
    arrange()
    yield from shoot(shots / "server-died.png")
    report["after the server died"] = desk.session.link.notice.message


def ask(desk):
    """Press Generate, and wait until the server has the job; it may be done by then, when a redraw took long."""
    known = len(desk.session.tasks)
    press("generate")
    yield lambda: len(desk.session.tasks) > known


def use_server(command: str) -> None:
    """What the artist types into the preferences; Blender forgets it with the add-on."""
    bpy.context.preferences.addons[ADDON].preferences.command = command


def fingerprint() -> dict:
    """What must not change until a picture arrives: how many data-blocks there are, and what would be rendered."""
    scene = bpy.context.scene
    counts = {name: len(getattr(bpy.data, name)) for name in dir(bpy.data) if hasattr(getattr(bpy.data, name), "new")}
    render = {name: str(getattr(scene.render, name)) for name in ("engine", "resolution_x", "resolution_y", "filepath")}
    things = {thing.name: (str(thing.matrix_world), thing.hide_render, thing.select_get()) for thing in scene.objects}
    return {"counts": counts, "render": render, "things": things, "frame": scene.frame_current}


def build_scene() -> None:
    """A castle and a rocket of boxes on a plane, seen by the startup file's camera."""
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.ops.mesh.primitive_plane_add(size=30.0)
    paint(bpy.context.object, FLOOR)
    for name, boxes in BOXES.items():
        solid(name, boxes)
    camera = bpy.context.scene.camera
    camera.location, camera.rotation_euler = (0.0, -11.0, 3.0), (1.4, 0.0, 0.0)
    for thing in bpy.context.scene.objects:
        thing.select_set(thing.name in SOLIDS)


def solid(name: str, boxes: list) -> None:
    """One object of several boxes: centres and half sizes."""
    parts = []
    for centre, half in boxes:
        bpy.ops.mesh.primitive_cube_add(size=2.0, location=centre, scale=half)
        parts.append(bpy.context.object)
    with bpy.context.temp_override(active_object=parts[0], selected_editable_objects=parts):
        bpy.ops.object.join()
    parts[0].name = name
    paint(parts[0], SOLIDS[name])


def paint(thing: bpy.types.Object, colour: tuple) -> None:
    """A plain material."""
    material = bpy.data.materials.new(thing.name)
    material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
    material.diffuse_color = colour
    thing.data.materials.append(material)


def arrange() -> None:
    """The sidebar open at our tab."""
    area = view()
    area.spaces.active.show_region_ui = True
    sidebar = next(region for region in area.regions if region.type == "UI")
    bpy.app.timers.register(lambda: setattr(sidebar, "active_panel_category", "Maquette"), first_interval=0.2)
    look("CAMERA", "SOLID")


def open_editor() -> None:
    """An empty Image Editor in the place of the Properties."""
    window = bpy.context.window_manager.windows[0]
    next(area for area in window.screen.areas if area.type == "PROPERTIES").ui_type = "IMAGE_EDITOR"


def look(perspective: str, shading: str) -> None:
    """How the 3D View looks."""
    space = view().spaces.active
    space.region_3d.view_perspective = perspective
    space.shading.type = shading
    if shading == "SOLID":
        space.shading.color_type = "MATERIAL"


def view() -> bpy.types.Area:
    """The 3D View."""
    window = bpy.context.window_manager.windows[0]
    return next(area for area in window.screen.areas if area.type == "VIEW_3D")


def seat():
    """The context an artist's click in the sidebar has; timers have none."""
    area = view()
    region = next(region for region in area.regions if region.type == "UI")
    return bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region)


def press(name: str, **arguments) -> None:
    """A button of the panel, with the context it would have there."""
    with seat():
        getattr(bpy.ops.maquette, name)("INVOKE_DEFAULT", True, **arguments)


def shoot(path: Path, settle: float = 1.2):
    """A picture of the whole window, once it has been drawn."""
    until = time.monotonic() + settle
    view().tag_redraw()
    yield lambda: time.monotonic() > until
    if shutil.which("import"):  # a virtual screen's front buffer reads black from inside Blender
        subprocess.run(["import", "-window", "root", str(path)], check=True)
        return
    with seat():
        bpy.ops.screen.screenshot(filepath=str(path))


def watch_pauses(report: dict) -> None:
    """Seconds of the main thread's own time that the add-on takes; what other processes take is not its doing."""
    pump = sys.modules[f"{ADDON}.pump"]
    report["longest"] = {"tick": 0.0, "receive": 0.0}
    for owner, name, key in ((pump.Pump, "once", "tick"), (pump, "receive", "receive")):
        setattr(owner, name, timed(getattr(owner, name), report["longest"], key))


def timed(function, longest: dict, key: str):
    def measured(*arguments):
        begun = time.thread_time()
        result = function(*arguments)
        longest[key] = max(longest[key], time.thread_time() - begun)
        return result

    return measured


def tell(steps, report: dict, folder: Path):
    """A timer that takes the story a step further whenever what it waits for has come."""
    waiting = {"for": lambda: True, "since": time.monotonic()}

    def tick() -> float | None:
        try:
            while waiting["for"]():
                waiting.update({"for": next(steps), "since": time.monotonic()})
            if time.monotonic() - waiting["since"] > PATIENCE:
                raise TimeoutError(f"waited in vain at line {steps.gi_frame.f_lineno}: {desk_words()}")
        except StopIteration:
            report["ok"] = True
        except Exception:  # noqa: BLE001  whatever went wrong belongs in the report, and Blender must end
            report["trace"] = traceback.format_exc()
        else:
            return 0.05
        (folder / "report.json").write_text(json.dumps(report, indent=2))
        bpy.ops.wm.quit_blender()
        return None

    return tick


def desk_words() -> str:
    """What the session says."""
    session = bpy.types.WindowManager.maquette.session
    tasks = [(task.job.state, task.received) for task in session.tasks]
    return f"{session.link.name} {session.link.notice} {session.notice} {tasks}"


def begin() -> None:
    """Wait for the window, then start."""
    bpy.context.preferences.view.show_splash = False
    zipped, command, folder = sys.argv[sys.argv.index("--") + 1 :]
    report: dict = {"ok": False}
    steps = story(zipped, command, Path(folder), report)

    def first() -> None:
        bpy.app.timers.register(tell(steps, report, Path(folder)), persistent=True)

    bpy.app.timers.register(first, first_interval=1.0)


begin()
