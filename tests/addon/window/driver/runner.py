# SPDX-License-Identifier: MIT
"""Scenarios in a real window: run by Blender, it works the panel and takes pictures of the screen.

    blender --factory-startup --enable-event-simulate --python runner.py -- SCENARIO ZIP SERVER_COMMAND FOLDER

Each step of a scenario yields what it waits for; a timer looks whether it has come, so that Blender's own loop runs on
between the steps. Writes FOLDER/NAME.png for each screen and FOLDER/SCENARIO.json at the end.
"""

import json
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from tests.addon.window.driver import main_thread_time, sample_scene
from tests.addon.window.driver.user_input import operator_context
from tests.addon.window.following.kept_look import kept_look
from tests.addon.window.following.live import live
from tests.addon.window.following.sequences import sequences
from tests.addon.window.following.views_in_turn import orbit, views_in_turn
from tests.addon.window.scenarios.camera_framing import add_cameras
from tests.addon.window.scenarios.contact_sheets import contact_sheets
from tests.addon.window.scenarios.failed_jobs import fail_jobs
from tests.addon.window.scenarios.history_buttons import use_history
from tests.addon.window.scenarios.installation import install_server
from tests.addon.window.scenarios.interruptions import ADDON, interrupt, use_server
from tests.addon.window.scenarios.models.adapters import adapters, name_folders
from tests.addon.window.scenarios.overlay import overlays
from tests.addon.window.scenarios.panel import panel_states
from tests.addon.window.scenarios.previews_and_exact import previews_and_exact
from tests.addon.window.scenarios.quit_and_return import come_back, quit_blender
from tests.addon.window.scenarios.region_rows import region_rows
from tests.addon.window.scenarios.stacked_projections import stack_projections
from tests.addon.window.scenarios.states import panel_at_scales
from tests.addon.window.scenarios.walkthrough import walk_through, with_mouse_and_keys

PATIENCE = 150.0  # seconds for one step
SCENARIOS = {
    "adapters": adapters,
    "previews_and_exact": previews_and_exact,
    "failed_jobs": fail_jobs,
    "camera_framing": add_cameras,
    "overlay": overlays,
    "quit": quit_blender,
    "return": come_back,
    "history_buttons": use_history,
    "panel": panel_states,
    "installation": install_server,
    "states": panel_at_scales,
    "contact_sheets": contact_sheets,
    "kept_look": kept_look,
    "live": live,
    "region_rows": region_rows,
    "sequences": sequences,
    "model_folders": name_folders,
    "stacked_projections": stack_projections,
    "views_in_turn": views_in_turn,
    "orbit": orbit,
}  # besides the walkthrough, which "all" begins with


def scenario(name: str, zipped: str, command: str, folder: Path, report: dict) -> Iterator:
    """The add-on installed, the scene built; then what is asked for."""
    with operator_context():
        sample_scene.build()
    bpy.ops.extensions.package_install_files(filepath=zipped, repo="user_default", enable_on_install=True)
    use_server(command)
    app = bpy.types.WindowManager.maquette
    main_thread_time.watch(
        {room: sys.modules[f"{ADDON}.{room}"] for room in ("runtime.timers", "overlay.handlers", "ui.image_editor")},
        report,
    )
    steps = SCENARIOS.get(name, walk_through)
    yield from steps(app, folder, report)
    if name == "all":
        yield from with_mouse_and_keys(app, report)
        yield from main_thread_time.heavy(app, report)
        yield from interrupt(app, command, folder, report)


def timer(steps: Iterator, report: dict, path: Path):
    """A timer that takes the scenario a step further whenever what it waits for has come."""
    waiting = {"for": lambda: True, "since": time.monotonic()}

    def tick() -> float | None:
        try:
            while waiting["for"]():
                waiting.update({"for": next(steps), "since": time.monotonic()})
            if time.monotonic() - waiting["since"] > PATIENCE:
                steps.throw(TimeoutError(f"waited in vain: {session_words()}"))
        except StopIteration:
            report["ok"] = True
        except Exception:  # noqa: BLE001  whatever went wrong belongs in the report, and Blender must end
            report["trace"] = traceback.format_exc()
        else:
            return 0.05
        path.write_text(json.dumps(report, indent=2))
        bpy.ops.wm.quit_blender()
        return None

    return tick


def session_words() -> str:
    """What the session says."""
    session = bpy.types.WindowManager.maquette.session
    tasks = [(task.job.state, task.received) for task in session.tasks]
    return f"{session.link.name} {session.link.notice} {session.notice} {tasks}"


def begin() -> None:
    """Wait for the window, then start."""
    bpy.context.preferences.view.show_splash = False
    name, zipped, command, folder = sys.argv[sys.argv.index("--") + 1 :]
    report: dict = {"ok": False}
    steps = scenario(name, zipped, command, Path(folder), report)

    def first() -> None:
        bpy.app.timers.register(timer(steps, report, Path(folder) / f"{name}.json"), persistent=True)

    bpy.app.timers.register(first, first_interval=1.0)


begin()
