# SPDX-License-Identifier: MIT
"""Stories in a real window, in seconds: run by Blender, it works the panel and takes pictures of the screen.

    blender --factory-startup --enable-event-simulate --python runner.py -- STORY ZIP SERVER_COMMAND FOLDER

Each step of a story yields what it waits for; a timer looks whether it has come, so that Blender's own loop runs on
between the steps. Writes FOLDER/NAME.png for each screen and FOLDER/STORY.json at the end.
"""

import json
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

from tests.addon.window.scenarios import main_thread_time, sample_scene
from tests.addon.window.scenarios.camera_framing import framing
from tests.addon.window.scenarios.failed_jobs import failing
from tests.addon.window.scenarios.history_buttons import remembering
from tests.addon.window.scenarios.interruptions import ADDON, storm, use_server
from tests.addon.window.scenarios.overlay import overlays
from tests.addon.window.scenarios.previews_and_exact import developing
from tests.addon.window.scenarios.quit_and_return import quits, returns
from tests.addon.window.scenarios.stacked_projections import stacking
from tests.addon.window.scenarios.user_input import seat
from tests.addon.window.scenarios.walkthrough import by_hand, tour

PATIENCE = 150.0  # seconds for one step
STORIES = {
    "developing": developing,
    "failing": failing,
    "framing": framing,
    "overlays": overlays,
    "quits": quits,
    "returns": returns,
    "remembering": remembering,
    "stacking": stacking,
}  # besides the tour, which "all" begins with


def story(name: str, zipped: str, command: str, shots: Path, report: dict) -> Iterator:
    """The add-on installed, the scene built; then what is asked for."""
    with seat():
        sample_scene.build()
    bpy.ops.extensions.package_install_files(filepath=zipped, repo="user_default", enable_on_install=True)
    use_server(command)
    app = bpy.types.WindowManager.maquette
    main_thread_time.watch(
        {room: sys.modules[f"{ADDON}.{room}"] for room in ("runtime.timers", "overlay.handlers", "ui.image_editor")},
        report,
    )
    told = STORIES.get(name, tour)
    yield from told(app, shots, report)
    if name == "all":
        yield from by_hand(app, report)
        yield from main_thread_time.heavy(app, report)
        yield from storm(app, command, shots, report)


def tell(steps: Iterator, report: dict, told: Path):
    """A timer that takes the story a step further whenever what it waits for has come."""
    waiting = {"for": lambda: True, "since": time.monotonic()}

    def tick() -> float | None:
        try:
            while waiting["for"]():
                waiting.update({"for": next(steps), "since": time.monotonic()})
            if time.monotonic() - waiting["since"] > PATIENCE:
                steps.throw(TimeoutError(f"waited in vain: {desk_words()}"))
        except StopIteration:
            report["ok"] = True
        except Exception:  # noqa: BLE001  whatever went wrong belongs in the report, and Blender must end
            report["trace"] = traceback.format_exc()
        else:
            return 0.05
        told.write_text(json.dumps(report, indent=2))
        bpy.ops.wm.quit_blender()
        return None

    return tick


def desk_words() -> str:
    """What the session says."""
    session = bpy.types.WindowManager.maquette.session
    tasks = [(task.job.state, task.received) for task in session.tasks]
    return f"{session.link.name} {session.link.notice} {session.notice} {tasks}"


def begin() -> None:
    """Wait for the window, then start."""
    bpy.context.preferences.view.show_splash = False
    name, zipped, command, folder = sys.argv[sys.argv.index("--") + 1 :]
    report: dict = {"ok": False}
    steps = story(name, zipped, command, Path(folder), report)

    def first() -> None:
        bpy.app.timers.register(tell(steps, report, Path(folder) / f"{name}.json"), persistent=True)

    bpy.app.timers.register(first, first_interval=1.0)


begin()
