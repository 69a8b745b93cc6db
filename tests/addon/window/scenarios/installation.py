# SPDX-License-Identifier: MIT
"""From an empty user folder to a first picture, by buttons alone: the server installed, stopped half way, gone on with,
used, and taken away. What is installed, and from where, the environment says."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver.user_input import ask, desktop, operator_context, press, press_key, rest, screenshot
from tests.addon.window.scenarios.walkthrough import PROMPT, finished

HALF_WAY = "Installing torch"  # the step that is stopped once it has begun to unpack


def install_server(app, folder: Path, report: dict) -> Iterator:
    """No server, Install…, stop, Go On, the first picture, Remove."""
    yield from desktop()
    own = preferences()
    own.command = ""
    yield lambda: app.session.link.name == "absent"
    report["known at first"] = sys.modules[type(own).__module__].server_known()
    yield from screenshot(folder / "nothing.png", settle=2.0)
    own.server_wheel, own.server_python = os.environ["SERVER_WHEEL"], os.environ.get("SERVER_PYTHON", "")
    yield from trouble(app, own, folder, report)
    begun = time.monotonic()
    press("continue_installation")
    yield from until(lambda: unpacks(app) or not app.installer.state.busy)
    assert app.installer.state.busy, app.installer.state.notice
    yield from screenshot(folder / "installing.png")
    yield from stop(app, folder, report)
    press("continue_installation")
    yield from until(lambda: not app.installer.state.busy)
    assert app.installer.state.stage == "installed", app.installer.state.notice
    report["stage"], report["notice"] = app.installer.state.stage, str(app.installer.state.notice)
    report["installed after"] = round(time.monotonic() - begun, 1)
    yield from screenshot(folder / "installed.png")
    yield from until(lambda: app.session.link.name == "online" and app.session.link.health.device != "starting")
    report["device"] = app.session.link.health.device
    press("add_selected")
    bpy.context.scene.maquette_prompt = PROMPT
    yield from ask(app)
    yield from until(lambda: app.session.tasks[0].received)
    yield from finished(app)
    report["painted after"] = round(time.monotonic() - begun, 1)
    yield from screenshot(folder / "painted.png", settle=2.5)
    yield from remove(app, report)


def trouble(app, own: bpy.types.AddonPreferences, folder: Path, report: dict) -> Iterator:
    """A folder of wheels that has none: a sentence, and buttons. Then what is right is named."""
    if not bpy.app.online_access:
        with operator_context():
            bpy.ops.maquette.install_server()
        report["offline"] = app.session.notice.code
        press("dismiss")
    own.wheel_folder = str(folder / "user")
    yield from dialog(folder)
    yield from until(lambda: not app.installer.state.busy)
    notice = app.installer.state.notice
    report["trouble"] = notice.code if notice is not None else app.installer.state.stage
    yield from screenshot(folder / "trouble.png")
    own.wheel_folder = os.environ.get("WHEELS", "")


def dialog(folder: Path) -> Iterator:
    """The dialog, looked at, and confirmed by the Return key."""
    press("install_server")
    yield from rest(1.0)
    yield from screenshot(folder / "dialog.png")
    press_key("RET")
    yield from rest(0.5)


def stop(app, folder: Path, report: dict) -> Iterator:
    """Stopped half way: nothing goes on, what is done is kept."""
    report["processes while installing"] = processes(app)
    pressed = time.monotonic()
    press("cancel_installation")
    yield lambda: not app.installer.state.busy
    report["stopped after"] = round(time.monotonic() - pressed, 2)
    report["processes when stopped"], report["stage when stopped"] = processes(app), app.installer.state.stage
    yield from screenshot(folder / "stopped.png")


def unpacks(app) -> bool:
    """It is at what takes longest."""
    return app.installer.state.step == HALF_WAY and "Unpacking" in app.installer.state.words


def remove(app, report: dict) -> Iterator:
    """The server stopped, then all of it removed."""
    press("stop_server")
    yield from until(lambda: app.server is None)
    begun = time.monotonic()
    press("remove_installation")
    yield from until(lambda: not app.installer.state.busy)
    report["removed"], report["removed after"] = not app.installer.folder.exists(), round(time.monotonic() - begun, 1)


def processes(app) -> int:
    """How many run out of the installation's folder, where the system lists them as files."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes())
        except OSError:  # it has ended meanwhile
            continue
    return sum(os.fsencode(app.installer.folder) in line for line in lines)


def until(satisfied: Callable[[], bool]) -> Iterator:
    """Wait longer than a scenario does for one step."""
    while not satisfied():
        yield from rest(0.5)


def preferences() -> bpy.types.AddonPreferences:
    """The add-on's."""
    return bpy.context.preferences.addons["bl_ext.user_default.maquette"].preferences
