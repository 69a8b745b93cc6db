# SPDX-License-Identifier: MIT
"""LoRAs, another autoencoder, a ControlNet and a scheduler, chosen in the panel for a tiny checkpoint of SDXL.

And a folder of mixed files, named in the preferences: what it says of each, and a picture by one of them.
"""

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import bpy
import numpy as np

from tests.addon.window.driver.user_input import area, ask, desktop, operator_context, press, rest, screenshot, sidebar
from tests.addon.window.scenarios.interruptions import ADDON
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
    yield from controlled(app, folder, report)
    yield from changes(app, folder, report)


def choose(scene: bpy.types.Scene) -> None:
    """Two LoRAs, one weighted, an autoencoder and a scheduler."""
    press("choose_lora", name="ink")
    press("choose_lora", name="wash")
    scene.maquette_lora_weights[0] = 0.8
    press("choose_vae", name="other")
    press("choose_scheduler", name="euler a")


def controlled(app, folder: Path, report: dict) -> Iterator:
    """With a ControlNet that looks at depth, for half of the steps and for all, at edges, and of which nothing is
    added; and without one again."""
    scene = bpy.context.scene
    press("choose_control", name="depth")
    scene.maquette_control_scale, scene.maquette_control_until = 0.8, 0.5
    view = bpy.context.preferences.view
    scale, view.ui_scale = view.ui_scale, 0.75  # or the row lies below the window
    yield from screenshot(folder / "control.png", settle=2.0)
    view.ui_scale = scale
    yield from painted(app, "half with depth", report)
    scene.maquette_control_until = 1.0
    yield from painted(app, "with depth", report)
    press("choose_control", name="depth", kind="edges")
    yield from painted(app, "with edges", report)
    scene.maquette_control_scale = 0.0
    yield from painted(app, "nothing of it", report)
    press("choose_control", name="")
    report["no control"] = "maquette_control" not in scene


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


def name_folders(app, folder: Path, report: dict) -> Iterator:
    """The server runs already; the folder is named, read, painted from, and taken off the list again."""
    yield from desktop()
    press("add_selected")
    press("start_server")
    yield lambda: app.session.link.name == "online"
    with operator_context():  # as its file browser ends
        bpy.ops.maquette.add_model_folder("EXEC_DEFAULT", filepath=f"{folder / 'mixed'}/")
    yield lambda: bool(app.session.library.files) and not app.session.library.scanning
    library = app.session.library
    report["files"] = {file.name: file.trouble for file in library.files}
    report["kinds"] = [known.kind for known in library.folders]
    yield from preferences_shown(folder / "folders.png")
    bpy.context.scene["maquette_model"] = "paint.fp16"
    bpy.context.scene.maquette_prompt, bpy.context.scene.maquette_size = (
        PROMPT,
        25,
    )  # the painter says masks as they are
    sidebar().tag_redraw()
    yield from ask(app)
    yield lambda: all(task.received or task.job.problem for task in app.session.tasks)
    report["painted with"] = [(task.job.model, task.job.state) for task in app.session.tasks]
    yield from screenshot(folder / "panel.png")
    press("remove_model_folder", path=str(folder / "mixed"))
    yield lambda: not app.session.library.files
    report["models in the end"] = [info.name for info in app.session.link.models]


def preferences_shown(picture: Path) -> Iterator:
    """The add-on's preferences in the editor on the right, for a picture: their own window is low."""
    with operator_context():
        bpy.ops.preferences.addon_show(module=ADDON)
    own = bpy.context.window_manager.windows[-1]
    yield lambda: any(editor.type == "PREFERENCES" for editor in own.screen.areas)
    with bpy.context.temp_override(window=own, area=own.screen.areas[0]):
        bpy.ops.wm.window_close()
    editor, scale = area("IMAGE_EDITOR"), bpy.context.preferences.view.ui_scale
    editor.type, bpy.context.preferences.view.ui_scale = "PREFERENCES", 0.6
    yield from screenshot(picture)
    editor.type, bpy.context.preferences.view.ui_scale = "IMAGE_EDITOR", scale
