# SPDX-License-Identifier: MIT
"""An artist's hour, with a picture of each screen: connect, block, go wrong and be helped, generate, project, look
back."""

from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver import sample_scene
from tests.addon.window.driver.user_input import (
    arrange,
    ask,
    click,
    compile_shaders,
    desktop,
    fill_editor,
    find,
    look,
    operator_context,
    press,
    press_key,
    project,
    rest,
    screenshot,
    scroll,
    undo,
    view,
)

RIGHT = 0.82  # of the sidebar's width: where a row's last icon is, left of the tabs
PROMPT = "a castle and a rocket on a meadow"
STEPS = 30  # long enough to be looked at
SEED = 1  # one that Toybox paints well; so are those that follow it
OTHERS = ((7, PROMPT), (4, "a castle and a rocket at sunset"), (5, "a castle and a rocket at night"))


def walk_through(app, folder: Path, report: dict) -> Iterator:
    """From no server to a projected picture and back; ends with two marked regions and a server."""
    yield from desktop()
    bpy.context.scene.maquette_seed = SEED
    yield lambda: app.session.link.name == "absent"
    yield from screenshot(folder / "not-connected.png", settle=3.0)
    yield from errors(app, folder)
    yield from screenshot(folder / "ready.png")
    yield from generate(app, folder, report)
    yield from beside(folder)
    yield from results(folder, report)
    yield from looks_back(app, folder)


def errors(app, folder: Path) -> Iterator:
    """Nothing marked, no server, a phrase that is not in the prompt: each with its button."""
    press("generate")
    yield from notices(app, "nothing-marked")
    press("add_selected")
    bpy.context.scene.maquette_prompt, bpy.context.scene.maquette_steps = PROMPT, STEPS
    press("generate")
    yield from notices(app, "server-absent")
    yield from screenshot(folder / "no-server.png")
    press("start_server")
    yield lambda: app.session.link.name == "online" and app.session.link.health.device != "starting"
    bpy.context.scene.maquette_prompt = "a castle on a meadow"
    press("generate")
    yield from notices(app, "phrase-missing")
    yield from screenshot(folder / "error.png")
    press("insert_phrase", subject=app.session.notice.subject)
    assert app.session.notice is None
    bpy.context.scene.maquette_prompt = PROMPT


def notices(app, code: str) -> Iterator:
    """Wait for that complaint."""
    yield lambda: app.session.notice is not None and app.session.notice.code == code


def generate(app, folder: Path, report: dict) -> Iterator:
    """One picture to its end, two more that are cancelled while they wait."""
    before = sample_scene.fingerprint()
    for _ in range(3):
        yield from ask(app)
    yield lambda: app.session.active is not None and app.session.active.job.step > STEPS // 2
    report["touched"] = sample_scene.changed(before)
    yield from screenshot(folder / "generating.png", settle=0.3)
    press("cancel", scope="WAITING")
    yield from finished(app)
    report["states"] = [task.job.state for task in app.session.tasks]
    yield from screenshot(folder / "done.png", settle=2.5)


def finished(app) -> Iterator:
    """Until every picture asked for is in the scene, and measured."""
    yield lambda: all(task.received or task.job.state in ("failed", "cancelled") for task in app.session.tasks)
    live, uid = app.regions.watcher, bpy.context.scene.session_uid
    yield lambda: live.scenes[uid].figure.achieved and live.pictures


def beside(folder: Path) -> Iterator:
    """Camera view and picture side by side, both with the overlay."""
    view().spaces.active.show_region_ui = False
    fill_editor()
    yield from screenshot(folder / "overlay.png", settle=2.5)
    yield from arrange()


def results(folder: Path, report: dict) -> Iterator:
    """Camera background, projection, removal in one undo step."""
    press("background")
    yield from screenshot(folder / "background.png")
    yield from project()
    look("PERSP", "MATERIAL")
    region_3d = view().spaces.active.region_3d
    region_3d.view_rotation, region_3d.view_location, region_3d.view_distance = (
        (0.76, 0.61, 0.14, 0.17),
        (0.9, 0.4, 1.5),
        10.5,
    )
    with operator_context():
        bpy.ops.object.select_all(action="DESELECT")
    compile_shaders()
    yield from screenshot(
        folder / "projected.png", settle=10.0
    )  # software drawing is slow, and panels glide into place
    look("CAMERA", "SOLID")
    press("remove_results")
    undo()
    report["projected after undo"] = any("maquette_slots" in obj for obj in bpy.context.scene.objects)
    press("remove_results")


def looks_back(app, folder: Path) -> Iterator:
    """Some more pictures; then one of them is chosen in the history."""
    scene = bpy.context.scene
    for seed, prompt in OTHERS:
        scene.maquette_seed, scene.maquette_prompt = seed, prompt
        yield from ask(app)
        yield from finished(app)
    scene.maquette_prompt = PROMPT
    first = scene.maquette_history[0].name
    press("favour", name=first)
    press("choose_entry", name=scene.maquette_history[2].name)
    yield from scroll("down")
    yield from screenshot(folder / "history.png", settle=2.5)
    press("choose_entry", name=scene.maquette_history[2].name)
    yield from scroll("up")


def with_mouse_and_keys(app, report: dict) -> Iterator:
    """The same with a real pointer and real keys: a prompt typed, Generate and Cancel pressed."""
    scene = bpy.context.scene
    scene.maquette_prompt = ""
    x, y = yield from find("copy_data_path_button", "maquette_prompt")
    yield from click(x, y, times=2)
    for letter in PROMPT:
        press_key("SPACE" if letter == " " else letter.upper(), letter)
    press_key("RET", ctrl=True) if hasattr(bpy.types.UILayout, "textbox") else press_key("RET")
    yield from rest(1.0)
    report["typed"] = scene.maquette_prompt
    scene.maquette_prompt = PROMPT  # whatever was typed, the hands go on
    scene.maquette_steps = 1000
    before = len(app.session.tasks)
    x, y = yield from find("copy_python_command_button", "maquette.generate")
    yield from click(x, y)
    yield lambda: len(app.session.tasks) > before
    report["generated by hand"] = True
    yield lambda: app.session.tasks[-1].job.step > 0
    x, y = yield from find("copy_python_command_button", "maquette.cancel", across=RIGHT)
    yield from click(x, y)
    yield lambda: app.session.tasks[-1].ended
    report["cancelled by hand"] = app.session.tasks[-1].job.state
    scene.maquette_steps = STEPS
