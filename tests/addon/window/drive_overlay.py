# SPDX-License-Identifier: MIT
"""The overlay in a real window: run by Blender, it edits a scene, looks where lines fall, and times what follows.

    blender --factory-startup --python drive_overlay.py -- ZIP SERVER_COMMAND FOLDER

Works like drive.py. Writes FOLDER/overlay-NAME.png for each screen and FOLDER/overlay.json at the end.
"""

import json
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path

import bpy
from bpy_extras.object_utils import world_to_camera_view
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

ADDON = "bl_ext.user_default.maquette"
PATIENCE = 60.0  # seconds for one step
EDITS = 8
BLOCKS = {  # place, half size, colour
    "castle": ((-2.0, 1.2, 1.2), (1.4, 0.6, 1.2), (0.5, 0.5, 0.5, 1.0)),
    "rocket": ((1.6, -0.4, 1.6), (0.5, 0.5, 1.6), (0.6, 0.25, 0.2, 1.0)),
    "ghost": ((3.6, 2.0, 0.9), (0.7, 0.7, 0.9), (0.3, 0.35, 0.6, 1.0)),
}


def story(zipped: str, command: str, shots: Path, report: dict):
    """Targets, then a picture beside them, then edits that are followed, then nothing left behind."""
    before = handlers()
    bpy.ops.extensions.package_install_files(filepath=zipped, repo="user_default", enable_on_install=True)
    bpy.context.preferences.addons[ADDON].preferences.command = command
    build_scene()
    arrange()
    desk, live = bpy.types.WindowManager.maquette, bpy.types.WindowManager.maquette_live
    uid = bpy.context.scene.session_uid
    press("add_selected")
    untouched = fingerprint()
    yield lambda: uid in live.scenes
    report["untouched"] = fingerprint() == untouched
    report["listed"] = [row.phrase for row in live.rows[uid]]
    report["worst frame error"] = worst_frame_error()
    yield from shoot(shots / "overlay-targets.png")
    press("start_server")
    yield lambda: desk.session.link.name == "online"
    bpy.context.scene.maquette_prompt = "a castle, a rocket and a ghost on a meadow"
    press("generate")
    yield lambda: "maquette_picture" in bpy.context.scene and not desk.session.waiting
    yield lambda: live.scenes[uid].figure.achieved and live.pictures
    report["words"] = [words.text for words in live.scenes[uid].figure.words]
    yield from shoot(shots / "overlay-achieved.png")
    zoom()
    yield from shoot(shots / "overlay-zoomed.png")

    bpy.data.objects["ghost"].maquette_off = True
    with seat():
        bpy.ops.ed.undo_push(message="eye")
    yield lambda: len(live.scenes[uid].figure.colours) == 2
    with seat():
        bpy.ops.object.select_all(action="DESELECT")
    press("select_region", uid=str(bpy.data.objects["rocket"].session_uid))
    yield from shoot(shots / "overlay-eye.png")

    dense("castle")
    report["triangles"] = 100_352
    yield from quiet(live)
    bpy.context.preferences.system.viewport_aa = "OFF"  # a software GL would redraw for seconds
    report["seconds"], report["longest slice"] = [], 0.0
    report["redraw"] = redraw_seconds()
    watch_slices(report)
    for edit in range(EDITS):
        yield from follow(live, uid, edit, report)
    with seat():
        bpy.ops.ed.undo()
    yield from quiet(live)
    bpy.ops.preferences.addon_disable(module=ADDON)
    report["left behind"] = sorted(handlers() - before)
    yield from shoot(shots / "overlay-disabled.png")


def follow(live, uid: int, edit: int, report: dict):
    """Move a thing as the artist would, and time until the overlay with it there has been drawn."""
    drawing = sys.modules[f"{ADDON}.overlay"]
    seen: dict = {}
    plain = drawing._draw

    def noting(drawn, frame):
        plain(drawn, frame)
        seen[drawn.figure] = time.perf_counter()

    known = live.scenes[uid].figure
    drawing._draw = noting
    begun = time.perf_counter()
    bpy.data.objects["castle"].location.x += 0.2 if edit % 2 else -0.2
    yield lambda: live.scenes[uid].figure is not known and live.scenes[uid].figure in seen
    report["seconds"].append(seen[live.scenes[uid].figure] - begun)
    drawing._draw = plain
    yield from quiet(live)


def redraw_seconds() -> float:
    """What the window takes to be drawn once, whatever is drawn: on a machine without a graphics card, long."""
    begun = time.perf_counter()
    with seat():
        bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=4)
    return (time.perf_counter() - begun) / 4


def quiet(live):
    """Until nothing is left to be captured."""
    until = time.monotonic() + 0.6
    yield lambda: time.monotonic() > until and not live.working


def watch_slices(report: dict) -> None:
    """The longest that one slice held the main thread, of its own time."""
    kind = bpy.types.WindowManager.maquette_live.__class__
    plain = kind.step

    def measured(*arguments):
        begun = time.thread_time()
        result = plain(*arguments)
        report["longest slice"] = max(report["longest slice"], time.thread_time() - begun)
        return result

    kind.step = measured


def worst_frame_error() -> float:
    """Pixels between where the overlay puts points of the frame and where Blender draws them, over many views."""
    frame_in_view = sys.modules[f"{ADDON}.overlay"].frame_in_view
    scene, area = bpy.context.scene, view()
    camera, space = scene.camera, area.spaces.active
    region = next(region for region in area.regions if region.type == "WINDOW")
    worst = 0.0
    for zoom_, offset, shift, resolution in (
        (0.0, (0.0, 0.0), (0.0, 0.0), (1920, 1080)),
        (18.0, (0.1, -0.05), (0.0, 0.0), (1920, 1080)),
        (5.0, (0.0, 0.0), (0.2, -0.1), (1080, 1920)),
        (-8.0, (-0.2, 0.1), (-0.1, 0.3), (1000, 1000)),
    ):
        space.region_3d.view_camera_zoom, space.region_3d.view_camera_offset = zoom_, offset
        camera.data.shift_x, camera.data.shift_y = shift
        scene.render.resolution_x, scene.render.resolution_y = resolution
        with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region):
            bpy.context.view_layer.update()
            space.region_3d.update()
            left, top, right, bottom = frame_in_view(bpy.context, camera)
            for thing in scene.objects:
                at = world_to_camera_view(scene, camera, thing.location)
                drawn = location_3d_to_region_2d(region, space.region_3d, thing.location)
                if at.z > 0.1:
                    put = Vector((left + at.x * (right - left), bottom + at.y * (top - bottom)))
                    worst = max(worst, (put - drawn).length)
    space.region_3d.view_camera_zoom, space.region_3d.view_camera_offset = 10.0, (0.0, 0.0)
    camera.data.shift_x = camera.data.shift_y = 0.0
    scene.render.resolution_x, scene.render.resolution_y = 1920, 1080
    return worst


def handlers() -> set[str]:
    """Every handler there is, by its module and name."""
    lists = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    return {
        f"{name}: {handler.__module__}.{handler.__name__}"
        for name, found in lists.items()
        if isinstance(found, list)
        for handler in found
    }


def fingerprint() -> dict:
    """What an overlay must leave as it is."""
    scene = bpy.context.scene
    counts = {name: len(getattr(bpy.data, name)) for name in dir(bpy.data) if hasattr(getattr(bpy.data, name), "new")}
    things = {
        thing.name: (str(thing.matrix_world), thing.hide_render, thing.select_get(), sorted(thing.keys()))
        for thing in scene.objects
    }
    return {"counts": counts, "things": things, "frame": scene.frame_current, "dirty": bpy.data.is_dirty}


def build_scene() -> None:
    """Three blocks on a plane."""
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    with seat():
        bpy.ops.mesh.primitive_plane_add(size=30.0)
        paint(bpy.context.object, (0.25, 0.3, 0.2, 1.0))
        for name, (place, half, colour) in BLOCKS.items():
            bpy.ops.mesh.primitive_cube_add(size=2.0, location=place, scale=half)
            bpy.context.object.name = name
            paint(bpy.context.object, colour)
    camera = bpy.context.scene.camera
    camera.location, camera.rotation_euler = (0.0, -11.0, 3.0), (1.4, 0.0, 0.0)
    for thing in bpy.context.scene.objects:
        thing.select_set(thing.name in BLOCKS)


def dense(name: str) -> None:
    """A ball of a hundred thousand triangles in the place of a block's mesh."""
    with seat():
        bpy.ops.mesh.primitive_uv_sphere_add(segments=224, ring_count=225)
        ball = bpy.context.object
        mesh = ball.data
        bpy.data.objects.remove(ball)
    bpy.data.objects[name].data = mesh


def paint(thing: bpy.types.Object, colour: tuple) -> None:
    """A plain colour in the viewport."""
    material = bpy.data.materials.new(thing.name)
    material.diffuse_color = colour
    thing.data.materials.append(material)


def arrange() -> None:
    """The sidebar open at our tab, the view through the camera, and an Image Editor in the place of the Properties."""
    area = view()
    space = area.spaces.active
    space.show_region_ui = True
    sidebar = next(region for region in area.regions if region.type == "UI")
    bpy.app.timers.register(lambda: setattr(sidebar, "active_panel_category", "Maquette"), first_interval=0.2)
    space.region_3d.view_perspective = "CAMERA"
    space.region_3d.view_camera_zoom = 10.0
    space.shading.type, space.shading.color_type = "SOLID", "MATERIAL"
    window = bpy.context.window_manager.windows[0]
    next(area for area in window.screen.areas if area.type == "PROPERTIES").ui_type = "IMAGE_EDITOR"


def zoom() -> None:
    """Look closer at both the view and the picture."""
    space = view().spaces.active
    space.region_3d.view_camera_zoom, space.region_3d.view_camera_offset = 30.0, (0.1, 0.05)
    window = bpy.context.window_manager.windows[0]
    editor = next(area for area in window.screen.areas if area.type == "IMAGE_EDITOR")
    region = next(region for region in editor.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=editor, region=region):
        bpy.ops.image.view_zoom_ratio(ratio=3.0)


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


def shoot(path: Path, settle: float = 1.5):
    """A picture of the whole window, once it has been drawn."""
    until = time.monotonic() + settle
    view().tag_redraw()
    yield lambda: time.monotonic() > until
    if shutil.which("import"):  # a virtual screen's front buffer reads black from inside Blender
        subprocess.run(["import", "-window", "root", str(path)], check=True)
        return
    with seat():
        bpy.ops.screen.screenshot(filepath=str(path))


def tell(steps, report: dict, folder: Path):
    """A timer that takes the story a step further whenever what it waits for has come."""
    waiting = {"for": lambda: True, "since": time.monotonic()}

    def tick() -> float | None:
        try:
            while waiting["for"]():
                waiting.update({"for": next(steps), "since": time.monotonic()})
            if time.monotonic() - waiting["since"] > PATIENCE:
                raise TimeoutError(f"waited in vain at line {steps.gi_frame.f_lineno}: {state()}")
        except StopIteration:
            report["ok"] = True
        except Exception:  # noqa: BLE001  whatever went wrong belongs in the report, and Blender must end
            report["trace"] = traceback.format_exc()
        else:
            return 0.02
        (folder / "overlay.json").write_text(json.dumps(report, indent=2))
        bpy.ops.wm.quit_blender()
        return None

    return tick


def state() -> str:
    """What the add-on is at, for whoever reads the report."""
    desk, live = bpy.types.WindowManager.maquette, bpy.types.WindowManager.maquette_live
    return f"{desk.session.notice} {vars(live)}"


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
