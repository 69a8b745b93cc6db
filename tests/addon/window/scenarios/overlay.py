# SPDX-License-Identifier: MIT
"""The overlay in a window: where its lines fall, what it says, how soon it follows an edit, what it leaves behind."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bpy
from bpy_extras.object_utils import world_to_camera_view
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

from tests.addon.window.driver import sample_scene
from tests.addon.window.driver.main_thread_time import timed
from tests.addon.window.driver.user_input import (
    area,
    canvas,
    desktop,
    operator_context,
    press,
    rest,
    screenshot,
    undo,
    view,
    window,
)
from tests.addon.window.scenarios.interruptions import ADDON

EDITS = 8
GHOST = ((3.6, 2.0, 0.9), (0.7, 0.7, 0.9))  # centre and half size of a thing that the painter does not paint
TRIANGLES = 100_000
VIEWS = (  # camera zoom, camera offset, lens shift, resolution
    (0.0, (0.0, 0.0), (0.0, 0.0), (1920, 1080)),
    (18.0, (0.1, -0.05), (0.0, 0.0), (1920, 1080)),
    (5.0, (0.0, 0.0), (0.2, -0.1), (1080, 1920)),
    (-8.0, (-0.2, 0.1), (-0.1, 0.3), (1000, 1000)),
    (10.0, (0.0, 0.0), (0.0, 0.0), (1920, 1080)),
)


def overlays(app, folder: Path, report: dict) -> Iterator:
    """Targets, then a picture beside them, then edits that are followed."""
    live, uid = app.regions.watcher, bpy.context.scene.session_uid
    add_ghost()
    yield from desktop()
    press("add_selected")
    untouched = sample_scene.fingerprint()
    yield lambda: uid in live.scenes and uid in live.rows
    report["untouched"] = sample_scene.fingerprint() == untouched
    report["listed"] = [row.phrase for row in live.rows[uid]]
    report["worst frame error"] = worst_frame_error()
    yield from screenshot(folder / "overlay-targets.png")
    yield from beside(app, live, folder, report)
    yield from switch_off(live, folder)
    yield from edits(live, report)
    bpy.ops.preferences.addon_disable(module=ADDON)
    report["left behind"] = [handler for handler in handlers() if ADDON in handler]
    yield from screenshot(folder / "overlay-disabled.png")


def add_ghost() -> None:
    """A third block, selected with the others."""
    with operator_context():
        bpy.ops.mesh.primitive_cube_add(size=2.0, location=GHOST[0], scale=GHOST[1])
    bpy.context.object.name = "ghost"
    sample_scene.paint(bpy.context.object, (0.3, 0.35, 0.6, 1.0))
    for name in (*sample_scene.SOLIDS, "ghost"):
        bpy.data.objects[name].select_set(True)


def beside(app, live, folder: Path, report: dict) -> Iterator:
    """A picture, and what it shows."""
    uid = bpy.context.scene.session_uid
    press("start_server")
    yield lambda: app.session.link.name == "online"
    bpy.context.scene.maquette_prompt = "a castle, a rocket and a ghost on a meadow"
    press("generate")
    yield lambda: "maquette_picture" in bpy.context.scene and not app.session.waiting
    yield lambda: live.scenes[uid].figure.achieved and live.pictures
    report["words"] = [label.text for label in live.scenes[uid].figure.labels]
    yield from screenshot(folder / "overlay-achieved.png")
    zoom()
    yield from screenshot(folder / "overlay-zoomed.png")


def switch_off(live, folder: Path) -> Iterator:
    """One region switched off, another selected from the list."""
    bpy.data.objects["ghost"].maquette_off = True
    yield lambda: len(live.scenes[bpy.context.scene.session_uid].figure.colours) == 2
    press("select_region", uid=str(bpy.data.objects["rocket"].session_uid))
    yield from screenshot(folder / "overlay-eye.png")


def edits(live, report: dict) -> Iterator:
    """Moves with a hundred thousand triangles in view, and an undo."""
    with operator_context():
        sample_scene.boulder(TRIANGLES)
        bpy.ops.ed.undo_push(message="boulder")
    bpy.context.preferences.system.viewport_aa = "OFF"  # a software GL would draw for seconds
    yield from quiet(live)
    report["seconds"], report["longest slice"] = [], {"step": 0.0}
    report["redraw"] = redraw_seconds()
    kind = type(live)
    kind.step = timed(kind.step, report["longest slice"], "step")
    for edit in range(EDITS):
        yield from follow(live, 0.2 if edit % 2 else -0.2, report)
    undo()
    yield from quiet(live)


def follow(live, step: float, report: dict) -> Iterator:
    """Move an object as the artist would, and time until the overlay with it there has been drawn."""
    drawing = sys.modules[f"{ADDON}.overlay.handlers"]
    uid, times, plain = bpy.context.scene.session_uid, {}, drawing.draw

    def noting(drawn, frame):
        plain(drawn, frame)
        times[drawn.figure] = time.perf_counter()

    earlier = live.scenes[uid].figure
    drawing.draw = noting
    begun = time.perf_counter()
    bpy.data.objects["castle"].location.x += step
    yield lambda: live.scenes[uid].figure is not earlier and live.scenes[uid].figure in times
    report["seconds"].append(times[live.scenes[uid].figure] - begun)
    drawing.draw = plain
    yield from quiet(live)


def redraw_seconds() -> float:
    """What the window takes to be drawn once, whatever is drawn: on a machine without a graphics card, long."""
    begun = time.perf_counter()
    with operator_context():
        bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=4)
    return (time.perf_counter() - begun) / 4


def quiet(live) -> Iterator:
    """Until nothing is left to be captured."""
    yield from rest(0.6)
    yield lambda: not live.working


def worst_frame_error() -> float:
    """Pixels between where the overlay puts points of the frame and where Blender draws them, over many views."""
    frame_in_view = sys.modules[f"{ADDON}.overlay.handlers"].frame_in_view
    scene, region = bpy.context.scene, canvas(view())
    camera, space = scene.camera, view().spaces.active
    worst = 0.0
    for zoom_, offset, shift, resolution in VIEWS:
        space.region_3d.view_camera_zoom, space.region_3d.view_camera_offset = zoom_, offset
        camera.data.shift_x, camera.data.shift_y = shift
        scene.render.resolution_x, scene.render.resolution_y = resolution
        with bpy.context.temp_override(window=window(), area=view(), region=region):
            bpy.context.view_layer.update()
            space.region_3d.update()
            left, top, right, bottom = frame_in_view(bpy.context, camera)
            for obj in scene.objects:
                at = world_to_camera_view(scene, camera, obj.location)
                drawn = location_3d_to_region_2d(region, space.region_3d, obj.location)
                if at.z > 0.1:
                    put = Vector((left + at.x * (right - left), bottom + at.y * (top - bottom)))
                    worst = max(worst, (put - drawn).length)
    return worst


def handlers() -> list[str]:
    """Every handler there is, by its list, module and name."""
    registered = [
        (name, handler)
        for name, callbacks in sample_scene.handlers()
        if isinstance(callbacks, list)
        for handler in callbacks
    ]
    return [f"{name}: {handler.__module__}.{handler.__name__}" for name, handler in registered]


def zoom() -> None:
    """Look closer at both the view and the picture."""
    space = view().spaces.active
    space.region_3d.view_camera_zoom, space.region_3d.view_camera_offset = 30.0, (0.1, 0.05)
    editor = area("IMAGE_EDITOR")
    with bpy.context.temp_override(window=window(), area=editor, region=canvas(editor)):
        bpy.ops.image.view_zoom_ratio(ratio=3.0)
