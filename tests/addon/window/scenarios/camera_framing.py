# SPDX-License-Identifier: MIT
"""No camera: one is added from views of every kind, and its frame on the screen is what the view shows."""

from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver.user_input import arrange, look, press, rest, screenshot, view
from tests.addon.window.scenarios.stacked_projections import frame_on_screen, look_from

LENSES = {"wide": ("PERSP", 24.0), "long": ("PERSP", 85.0), "flat": ("ORTHO", 50.0)}
SHAPES = {"square": (1080, 1080), "broad": (1920, 640)}


def add_cameras(app, folder: Path, report: dict) -> Iterator:
    """Press the cure of a missing camera in each view, for a picture of each shape."""
    yield from arrange()
    scene = bpy.context.scene
    press("add_selected")
    scene.maquette_prompt = "a castle and a rocket on a meadow"
    report["framed"] = {}
    for kind, (perspective, lens) in LENSES.items():
        for shape, size in SHAPES.items():
            scene.render.resolution_x, scene.render.resolution_y = size
            bpy.data.objects.remove(scene.camera)
            look(perspective, "SOLID")
            view().spaces.active.lens = lens
            look_from((-6.0, -9.0, 4.0))
            yield from rest(1.0)
            press("generate")
            assert app.session.notice.code == "no-camera", app.session.notice
            press("add_camera")
            assert app.session.notice is None
            assert view().spaces.active.region_3d.view_perspective == "CAMERA"
            look(perspective, "SOLID")  # as it was, to be compared
            yield from rest()
            bpy.context.view_layer.update()
            report["framed"][f"{kind} {shape}"] = frame_on_screen(scene.camera)
        yield from screenshot(folder / f"{kind}-view.png")
        look("CAMERA", "SOLID")
        yield from screenshot(folder / f"{kind}-camera.png")
