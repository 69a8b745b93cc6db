# SPDX-License-Identifier: MIT
"""LoRAs, another autoencoder and a scheduler, chosen in the panel for a tiny checkpoint of Stable Diffusion XL."""

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import bpy
import numpy as np

from tests.addon.window.driver.user_input import ask, desktop, press, rest, screenshot
from tests.addon.window.scenarios.walkthrough import notices

PROMPT = "a castle and a rocket"


def adapters(app, folder: Path, report: dict) -> Iterator:
    """Painted without and with them; with one that changed meanwhile, and one that is gone. ``folder`` has them all."""
    scene = bpy.context.scene
    yield from desktop()
    press("add_selected")
    scene.maquette_prompt, scene.maquette_steps, scene.maquette_vary = PROMPT, 2, False
    press("start_server")
    yield lambda: app.session.link.name == "online" and app.session.link.health.device != "starting"
    report["offered"] = [[info.kind, info.name, info.trouble[:13]] for info in app.session.link.adapters]
    report["model"] = app.session.link.models[0].name
    yield from painted(app, "plain", report)
    choose(scene)
    yield from screenshot(folder / "chosen.png", settle=2.0)
    yield from painted(app, "with all", report)
    report["kept"] = {key: scene[f"maquette_{key}"] for key in ("loras", "vae", "scheduler")}
    press("generate")
    yield from notices(app, "already-painted")
    press("dismiss")
    scene.maquette_lora_weights[0] = 0.0
    yield from painted(app, "nothing of ink", report)
    press("choose_vae", name="")
    press("choose_scheduler", name="")
    press("remove_lora", index=1)
    yield from painted(app, "as if plain", report)
    yield from changes(app, folder, report)


def choose(scene: bpy.types.Scene) -> None:
    """Two LoRAs, one weighted, an autoencoder and a scheduler."""
    press("choose_lora", name="ink")
    press("choose_lora", name="wash")
    scene.maquette_lora_weights[0] = 0.8
    press("choose_vae", name="other")
    press("choose_scheduler", name="euler a")


def changes(app, folder: Path, report: dict) -> Iterator:
    """The request of the second picture again, after one of its files became another, and after it is gone."""
    scene, file = bpy.context.scene, folder / "loras" / "ink.safetensors"
    shutil.copyfile(folder / "loras" / "wash.safetensors", file)
    press("reuse", name=report["pictures"]["with all"]["entry"], what="EVERYTHING")
    report["again"] = json.loads(scene["maquette_loras"])
    scene.maquette_seed = 5  # the picture itself is there already
    press("generate")
    yield from notices(app, "changed-adapter")
    report["changed"] = app.session.notice.message
    yield from screenshot(folder / "changed.png", settle=2.0)
    before = len(app.session.tasks)
    press("renew_adapters")
    yield lambda: len(app.session.tasks) > before
    yield from received(app)
    file.unlink()
    yield lambda: "ink" not in [info.name for info in app.session.link.adapters]
    press("reuse", name=report["pictures"]["with all"]["entry"], what="EVERYTHING")
    report["missing"] = [app.session.notice.code, app.session.notice.message]
    yield from screenshot(folder / "missing.png", settle=2.0)
    before = len(app.session.tasks)
    press("drop_adapters")
    yield lambda: len(app.session.tasks) > before
    yield from received(app)
    report["left"] = [lora["name"] for lora in json.loads(scene["maquette_loras"])]


def painted(app, name: str, report: dict) -> Iterator:
    """Generate, and what came of it."""
    yield from ask(app)
    yield from received(app)
    task = app.session.tasks[-1]
    report.setdefault("pictures", {})[name] = {
        "state": task.job.state,
        "problem": task.job.problem.detail if task.job.problem else "",
        "request": json.loads(task.request),
        "picture": task.picture.name if task.picture else "",
        "entry": bpy.context.scene["maquette_picture"]["maquette_entry"] if task.received else "",
    }
    report.setdefault("pixels", {})[name] = fingerprint(bpy.context.scene["maquette_picture"])


def fingerprint(image: bpy.types.Image) -> str:
    """What stands for a picture's pixels, whatever else its file carries."""
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return sha256(pixels.tobytes()).hexdigest()


def received(app) -> Iterator:
    """Until the last picture is in the scene, or failed."""
    yield lambda: app.session.tasks[-1].received or app.session.tasks[-1].job.state == "failed"
    yield from rest(0.3)
