# SPDX-License-Identifier: MIT
"""A block moves, and its look stays: Keep Look, Repaint This and Restyle in a window, painted by Toybox."""

import json
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np

from tests.addon.window.driver.user_input import ask, desktop, point, press, screenshot, scroll, sidebar

PROMPT = "a castle and a purple rocket on a meadow"
STEPS = 8
CORNER = 24  # pixels of the picture's left border, far from the rocket


def kept_look(app, folder: Path, report: dict) -> Iterator:
    """Before, moved, one region anew, other words; then taken out of the first picture, over the blocks' colours."""
    scene = bpy.context.scene
    yield from desktop()
    press("add_selected")
    scene.maquette_prompt, scene.maquette_steps = PROMPT, STEPS
    press("start_server")
    yield lambda: app.session.link.name == "online"
    before = yield from painted(app, lambda: ask(app))
    first = scene["maquette_picture"]["maquette_entry"]
    rocket, uid = bpy.data.objects["rocket"], str(bpy.data.objects["rocket"].session_uid)
    rocket.maquette_keep_look = True
    rocket.location.z += 1.2
    bpy.context.view_layer.objects.active = rocket
    yield from point(sidebar().x + 60, sidebar().y + sidebar().height - 330)
    yield from screenshot(folder / "keep.png", settle=2.0)
    moved = yield from painted(app, lambda: ask(app))
    report["moved"] = compared(before, moved)
    report["look"] = request()["reference"]["picture"]
    anew = yield from painted(app, lambda: pressed("repaint_region", uid=uid))
    report["repainted"] = compared(moved, anew)
    scene.maquette_prompt = "a pink castle and a rocket at sunset"
    yield from painted(app, lambda: pressed("generate", restyle=True))
    report["restyled"] = request()["reference"]["keeps"]
    yield from screenshot(folder / "restyled.png", settle=2.0)
    rocket.maquette_keep_look, scene.maquette_blocking = False, 0.4
    press("take_region", uid=uid, name=first)
    yield from painted(app, lambda: ask(app))
    report["taken"] = [request()["collage"][0]["picture"], first]
    report["blocking"] = request()["blocking"]["amount"]
    yield from scroll("down")
    yield from screenshot(folder / "taken.png", settle=2.0)


def painted(app, act) -> Iterator:
    """The next picture, (height, width, 3), once it has come."""
    scene = bpy.context.scene
    earlier = scene.get("maquette_picture")
    yield from act()
    yield lambda: scene.get("maquette_picture") != earlier and not app.session.waiting and not app.session.receivable
    image = scene["maquette_picture"]
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(image.size[1], image.size[0], 4)[..., :3]


def pressed(button: str, **arguments) -> Iterator:
    """A button, as a step of the scenario."""
    press(button, **arguments)
    yield lambda: True


def request() -> dict:
    """What the scene's latest picture was asked for."""
    return json.loads(bpy.context.scene["maquette_picture"]["maquette_request"])


def compared(before: np.ndarray, after: np.ndarray) -> list[float]:
    """How far the left border changed at most, and the whole on average."""
    apart = np.abs(before - after)
    return [float(apart[:, :CORNER].max()), float(apart.mean())]
