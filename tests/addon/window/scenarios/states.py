# SPDX-License-Identifier: MIT
"""The panel in each state of server and jobs, at two scales: where Generate is in each, and a picture of each."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver.user_input import (
    ask,
    canvas,
    desktop,
    find,
    operator_context,
    point,
    press,
    rest,
    screenshot,
    scroll,
    sidebar,
    view,
    window,
)
from tests.addon.window.scenarios.interruptions import ADDON, use_server
from tests.addon.window.scenarios.walkthrough import PROMPT, finished

SCALES = (1.0, 1.5)
STEPS = 400  # so many that a picture is still being painted when all is looked at


def panel_at_scales(app, folder: Path, report: dict) -> Iterator:
    """From nothing installed to a queue of four."""
    report["generate"], report["messages"] = {}, {}
    scene, command = bpy.context.scene, server_command()
    yield from desktop()
    use_server("no-such-program-here serve")
    yield lambda: app.session.link.name == "absent"
    yield from at_scales(app, "absent", folder, report)
    press("start_server")
    yield from at_scales(app, "not-installed", folder, report)
    press("dismiss")
    use_server(command)
    press("add_selected")
    scene.maquette_prompt, scene.maquette_steps = PROMPT, STEPS
    press("start_server")
    yield from at_scales(app, "starting", folder, report)
    yield lambda: app.session.link.name == "online" and app.session.link.health.device != "starting"
    yield from at_scales(app, "ready", folder, report)
    yield from jobs(app, folder, report)
    yield from offline(app, folder, report)


def server_command() -> str:
    """What the runner has set."""
    return bpy.context.preferences.addons[ADDON].preferences.command


def jobs(app, folder: Path, report: dict) -> Iterator:
    """One painted, four that wait, none any more, one done, one that failed."""
    scene = bpy.context.scene
    yield from with_a_shortcut(app, report)
    yield lambda: app.preview_image.icon != 0
    yield from at_scales(app, "painting", folder, report)
    for _ in range(4):
        yield from ask(app)
    yield from at_scales(app, "queue", folder, report)
    press("cancel", scope="ALL")
    yield lambda: not app.session.waiting
    scene.maquette_steps = 5
    yield from ask(app)
    yield from finished(app)
    yield from at_scales(app, "done", folder, report)
    scene.maquette_prompt = f"{PROMPT}, cursed"
    yield from ask(app)
    yield lambda: bool(app.session.failed)
    yield from at_scales(app, "failed", folder, report)
    press("dismiss", jobs=app.session.failed[0][1].subject)


def with_a_shortcut(app, report: dict) -> Iterator:
    """Ctrl Enter over the 3D View; and where else the commands are: in the headers, whose menus F3 searches."""
    keys, types = bpy.context.window_manager.keyconfigs, bpy.types
    items = [item for keymap in keys.user.keymaps for item in keymap.keymap_items if item.idname == "maquette.generate"]
    report["keys an artist can change"] = len(items)
    headers = (types.VIEW3D_MT_editor_menus, types.IMAGE_MT_editor_menus, types.VIEW3D_HT_header, types.IMAGE_HT_header)
    drawn = [[function.__module__ for function in header._dyn_ui_initialize()] for header in headers]
    report["headers"] = [any(ADDON in module for module in modules) for modules in drawn]
    region, before = canvas(view()), len(app.session.tasks)
    x, y = region.x + region.width // 3, region.y + region.height // 2
    yield from point(x, y)
    for value in ("PRESS", "RELEASE"):
        window().event_simulate("RET", value, x=x, y=y, ctrl=True)
    yield lambda: len(app.session.tasks) > before
    report["a shortcut generates"] = True


def offline(app, folder: Path, report: dict) -> Iterator:
    """The server is killed; then an address is set that Blender may not ask."""
    app.server.kill()
    yield lambda: app.session.link.name == "died"
    yield from at_scales(app, "died", folder, report)
    bpy.context.preferences.system.use_online_access = False
    bpy.context.preferences.addons[ADDON].preferences.address = "http://192.0.2.1:8000"
    press("connect")
    yield lambda: app.session.link.name == "offline"
    yield from at_scales(app, "offline", folder, report)
    bpy.context.preferences.addons[ADDON].preferences.address = ""


def at_scales(app, name: str, folder: Path, report: dict) -> Iterator:
    """A picture at each scale, and how far below the sidebar's top Generate is."""
    with operator_context():
        stage = sys.modules[f"{ADDON}.ui.panels.messages"].message(bpy.context, app.session)
    report["messages"][name] = "" if stage is None else stage.notice.message
    for scale in SCALES:
        bpy.context.preferences.view.ui_scale = scale
        yield from rest(0.5)
        yield from scroll("up")
        yield from screenshot(folder / f"state-{name}-{scale}.png", settle=1.5)
        yield from point(view().x + 40, view().y + 40)  # or what is under the pointer still would be found first
        top = sidebar().y + sidebar().height
        _, y = yield from find("copy_python_command_button", "maquette.generate")
        report["generate"].setdefault(str(scale), {})[name] = top - y
        (folder / "so-far.json").write_text(json.dumps(report))
    bpy.context.preferences.view.ui_scale = 1.0
    yield from rest(0.5)
