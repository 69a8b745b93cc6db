# SPDX-License-Identifier: MIT
"""An artist's hour, with a picture of each screen: connect, block, go wrong and be helped, generate, project."""

from collections.abc import Iterator
from pathlib import Path

import bpy
import stage
from hands import arrange, click, find, look, open_editor, press, rest, seat, shoot, strike, view, window

RIGHT = 0.82  # of the sidebar's width: where a row's last icon is, left of the tabs
PROMPT = "a castle and a rocket on a meadow"


def tour(desk, shots: Path, report: dict) -> Iterator:
    """From no server to a projected picture and back; ends with two marked regions and a server."""
    open_editor()
    yield from arrange()
    yield lambda: desk.session.link.name == "absent"
    yield from shoot(shots / "not-connected.png", settle=3.0)
    yield from errors(desk, shots)
    yield from shoot(shots / "ready.png")
    yield from generate(desk, shots, report)
    yield from beside(shots)
    yield from results(shots, report)


def errors(desk, shots: Path) -> Iterator:
    """Nothing marked, no server, a phrase that is not in the prompt: each with its button."""
    press("generate")
    yield from notices(desk, "nothing-marked")
    press("add_selected")
    bpy.context.scene.maquette_prompt = PROMPT
    press("generate")
    yield from notices(desk, "server-absent")
    yield from shoot(shots / "no-server.png")
    press("start_server")
    yield lambda: desk.session.link.name == "online"
    bpy.context.scene.maquette_prompt = "a castle on a meadow"
    press("generate")
    yield from notices(desk, "phrase-missing")
    yield from shoot(shots / "error.png")
    press("insert_phrase", subject=desk.session.notice.subject)
    assert desk.session.notice is None
    bpy.context.scene.maquette_prompt = PROMPT


def notices(desk, code: str) -> Iterator:
    """Wait for that complaint."""
    yield lambda: desk.session.notice is not None and desk.session.notice.code == code


def generate(desk, shots: Path, report: dict) -> Iterator:
    """One picture to its end, two more that are cancelled while they wait."""
    before = stage.fingerprint()
    press("generate")
    yield lambda: desk.session.active is not None and desk.session.active.job.step > 8
    report["touched"] = stage.changed(before)
    yield from shoot(shots / "generating.png")
    press("generate")
    press("generate")
    yield lambda: len(desk.session.tasks) == 3
    press("cancel", scope="WAITING")
    yield lambda: "maquette_picture" in bpy.context.scene
    yield lambda: not desk.session.waiting
    report["states"] = [task.job.state for task in desk.session.tasks]
    yield from shoot(shots / "done.png", settle=2.5)


def beside(shots: Path) -> Iterator:
    """Camera view and picture side by side, both with the overlay."""
    area, before = view(), {other.as_pointer() for other in window().screen.areas}
    area.spaces.active.show_region_ui = False
    with bpy.context.temp_override(window=window(), area=area):
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.5)
    editor = next(other for other in window().screen.areas if other.as_pointer() not in before)
    editor.ui_type = "IMAGE_EDITOR"
    editor.spaces.active.image = bpy.context.scene["maquette_picture"]
    yield from rest(1.0)
    region = next(region for region in editor.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window(), area=editor, region=region):
        bpy.ops.image.view_all(fit_view=True)
    yield from shoot(shots / "overlay.png", settle=2.5)
    with bpy.context.temp_override(window=window(), area=editor):
        bpy.ops.screen.area_close()
    yield from arrange()


def results(shots: Path, report: dict) -> Iterator:
    """Camera background, projection, removal in one undo step."""
    press("background")
    yield from shoot(shots / "background.png")
    press("project")
    look("PERSP", "MATERIAL")
    eye = view().spaces.active.region_3d
    eye.view_rotation, eye.view_location, eye.view_distance = (0.72, 0.58, 0.24, 0.30), (0.0, 0.4, 1.4), 12.0
    yield from shoot(shots / "projected.png", settle=25.0)
    look("CAMERA", "SOLID")
    press("remove_results")
    with seat():
        bpy.ops.ed.undo()
    report["projected after undo"] = any("maquette_slots" in thing for thing in bpy.context.scene.objects)
    press("remove_results")


def by_hand(desk, report: dict) -> Iterator:
    """The same with a real pointer and real keys: a prompt typed, Generate and Cancel pressed."""
    scene = bpy.context.scene
    scene.maquette_prompt = ""
    x, y = yield from find("copy_data_path_button", "maquette_prompt")
    yield from click(x, y, times=2)
    for letter in PROMPT:
        strike("SPACE" if letter == " " else letter.upper(), letter)
    strike("RET", ctrl=True) if hasattr(bpy.types.UILayout, "textbox") else strike("RET")
    yield from rest(1.0)
    report["typed"] = scene.maquette_prompt
    scene.maquette_prompt = PROMPT  # whatever was typed, the hands go on
    scene.maquette_steps = 1000
    known = len(desk.session.tasks)
    x, y = yield from find("copy_python_command_button", "maquette.generate")
    yield from click(x, y)
    yield lambda: len(desk.session.tasks) > known
    report["generated by hand"] = True
    yield lambda: desk.session.tasks[-1].job.step > 0
    x, y = yield from find("copy_python_command_button", "maquette.cancel", across=RIGHT)
    yield from click(x, y)
    yield lambda: desk.session.tasks[-1].ended
    report["cancelled by hand"] = desk.session.tasks[-1].job.state
    del scene["maquette_steps"]
