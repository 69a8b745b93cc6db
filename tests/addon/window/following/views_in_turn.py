# SPDX-License-Identifier: MIT
"""Cameras painted in turn in a window, and their views baked; and an orbit around what came of four of them."""

import json
import sys
from collections.abc import Iterator
from math import cos, pi, sin
from pathlib import Path

import bpy
from mathutils import Vector

from tests.addon.window.driver.main_thread_time import timed
from tests.addon.window.driver.user_input import (
    compile_shaders,
    desktop,
    look,
    operator_context,
    press,
    rest,
    screenshot,
    scroll,
    undo,
    window,
)

TARGET, RADIUS, HEIGHT = Vector((0.2, 0.4, 1.6)), 11.0, 3.4
VIEWS, AROUND, FRAMES = 3, 4, 8
SKY = (0.25, 0.55, 0.95, 1.0)
QUARTER = 0.25
ADDON = "bl_ext.user_default.maquette"


def views_in_turn(app, folder: Path, report: dict) -> Iterator:
    """Paint from every camera, look at it; bake, stop, bake again, undo, redo."""
    mark_ground()
    yield from painted(app, folder, report, VIEWS, QUARTER, busy=True)  # from farther round the castle hides the rocket
    yield from bake(folder, report)


def orbit(app, folder: Path, report: dict) -> Iterator:
    """Four cameras, painted in turn and baked, and the frames all around, by day."""
    daylight()
    yield from painted(app, folder, report, AROUND)
    press("bake")
    yield from over("MAQUETTE_OT_bake")
    render_around(folder)


def daylight() -> None:
    """A sky in the pictures' own blue, which lights the ground."""
    world = bpy.context.scene.world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = SKY
    bpy.data.materials["Plane"].node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value = 1.0


def mark_ground() -> None:
    """The ground is seen by every camera, so that each has something to be told of."""
    ground = bpy.data.objects["Plane"]
    ground.name = "meadow"
    with operator_context():
        ground.select_set(True)


def painted(app, folder: Path, report: dict, number: int, around: float = 1.0, busy: bool = False) -> Iterator:
    """So many cameras on that share of the way around, each painted and projected, though one be ``busy`` already."""
    yield from desktop()
    stand_around(number, around)
    press("add_selected")
    with operator_context():
        bpy.ops.object.select_all(action="DESELECT")
    bpy.context.scene.maquette_prompt = "a castle and a rocket on a meadow"
    bpy.context.scene.maquette_seed, bpy.context.scene.maquette_vary = 7, False
    press("start_server")
    yield lambda: app.session.link.name == "online" and app.session.link.health.device != "starting"
    if busy:
        press("generate")  # which is painted first, and is none of the turns
    press("paint_views")
    yield lambda: len(app.session.tasks) >= 2  # the second camera's turn
    report["camera meanwhile"] = bpy.context.scene.camera.name
    yield from over("MAQUETTE_OT_paint_views")
    report["notice"] = str(app.session.notice)
    report["views"] = views()
    report["seen from"] = seen_from()
    requests = [json.loads(entry.text)["request"] for entry in bpy.context.scene.maquette_history]
    report["told"] = sum((request.get("reference") or {}).get("shown") is not None for request in requests)
    report["camera"] = bpy.context.scene.camera.name
    look("PERSP", "MATERIAL")
    compile_shaders()
    yield from scroll("down")
    yield from screenshot(folder / "painted.png", settle=3.0)


def stand_around(number: int, around: float) -> None:
    """The scene's camera and more, on that share of the way around."""
    scene = bpy.context.scene
    own = scene.camera
    for index in range(number):
        camera = own if index == 0 else bpy.data.objects.new(f"Camera {index}", own.data)
        if index:
            scene.collection.objects.link(camera)
        place(camera, around * index / number)
    bpy.context.view_layer.update()


def place(camera: bpy.types.Object, share: float) -> None:
    """That share of the way around."""
    turn = 2 * pi * share - pi / 2
    camera.location = TARGET + Vector((RADIUS * cos(turn), RADIUS * sin(turn), HEIGHT - TARGET.z))
    camera.rotation_euler = (TARGET - camera.location).to_track_quat("-Z", "Y").to_euler()


def bake(folder: Path, report: dict) -> Iterator:
    """Stopped by the button and by Esc, nothing has changed; then to its end, undone and done again."""
    operator = sys.modules[f"{ADDON}.ui.operators.scene.bake"]
    longest = report["longest bake"] = {}
    operator.one_slice = timed(operator.one_slice, longest, "slice")
    operator.apply_bakes = timed(operator.apply_bakes, longest, "apply")
    before = state()
    for stop in (lambda: press("stop_bake"), lambda: window().event_simulate("ESC", "PRESS", x=300, y=300)):
        press("bake")
        yield from rest(0.5)
        if app_is_baking():
            yield from screenshot(folder / "baking.png", settle=0.3)
        stop()
        yield lambda: "MAQUETTE_OT_bake" not in modal()
        window().event_simulate("ESC", "RELEASE", x=300, y=300)
        report.setdefault("stopped", []).append(state() == before and not app_is_baking())
    press("bake")
    yield from over("MAQUETTE_OT_bake")
    after = state()
    report["baked"] = sorted(image.name for image in bpy.data.images if image.name.endswith(" Bake"))
    report["notice"] = str(bpy.types.WindowManager.maquette.session.notice)
    yield from screenshot(folder / "baked.png", settle=3.0)
    undo()
    report["undone"] = state() == before
    with operator_context():
        bpy.ops.ed.redo()
    report["redone"] = state() == after


def views() -> list[str]:
    """The projectors' names."""
    return sorted(item.name for item in bpy.context.scene.objects if "maquette_projector" in item)


def seen_from() -> list[str]:
    """The cameras whose pictures are projected."""
    records = [item["maquette_projector"] for item in bpy.context.scene.objects if "maquette_projector" in item]
    return sorted(record["picture"]["maquette_camera"].name for record in records)


def over(operator: str) -> Iterator:
    """Until it is over, which takes seconds of a processor and, on a busy machine, longer than one step may."""
    while operator in modal():
        yield from rest(3.0)


def app_is_baking() -> bool:
    """Whether the panel says so."""
    return bpy.types.WindowManager.maquette.is_baking


def modal() -> list[str]:
    """What goes on in the window."""
    return [operator.bl_idname for operator in window().modal_operators]


def state() -> dict:
    """What a bake changes: slots, layers of UVs, images."""
    bpy.context.view_layer.update()
    items = [item for item in bpy.context.scene.objects if item.type == "MESH"]
    return {
        "slots": [
            (item.name, [slot.material and slot.material.name for slot in item.material_slots]) for item in items
        ],
        "layers": [(item.name, [layer.name for layer in item.data.uv_layers]) for item in items],
        "images": sorted(image.name for image in bpy.data.images if image.name != "Viewer Node"),
    }


def render_around(folder: Path) -> None:
    """Frames all around, by Cycles."""
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 8, False
    scene.render.resolution_x = scene.render.resolution_y = 256
    scene.render.resolution_percentage = 100
    camera = scene.camera.copy()
    scene.collection.objects.link(camera)
    scene.camera = camera
    for frame in range(FRAMES):
        place(camera, frame / FRAMES)
        scene.render.filepath = str(folder / f"orbit-{frame}.png")
        bpy.ops.render.render(write_still=True)
