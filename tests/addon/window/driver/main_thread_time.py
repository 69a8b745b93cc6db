# SPDX-License-Identifier: MIT
"""How long the add-on holds Blender's main thread: its timers, what it draws, a picture taken in, Generate pressed."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bpy

from tests.addon.window.driver import sample_scene
from tests.addon.window.driver.user_input import press

HEAVY = 100_000  # triangles
WAITED = Path("/proc/thread-self/schedstat")  # Linux tells there what a thread has waited for its turn, second of three


def clock() -> float:
    """Seconds, those left out in which this thread wanted to run and other processes kept the processor.

    What it waits for of its own accord, a disk or a graphics card, counts.
    """
    waited = int(WAITED.read_text().split()[1]) / 1e9 if WAITED.exists() else 0.0
    return time.perf_counter() - waited


def watch(modules: dict, report: dict) -> None:
    """Seconds that the add-on holds the main thread, the longest of each kind; ``modules`` are its own, by name."""
    longest = report["longest"] = {}
    timers, overlay, editor = (modules[name] for name in ("runtime.timers", "overlay.handlers", "ui.image_editor"))
    kinds = ((timers, "_slice", "tick"), (timers, "freeze_heap", "calm"), (timers, "receive", "receive"))
    drawn = ((overlay.Overlay, "look", "look"), (overlay, "draw", "draw"), (editor, "_draw", "view"))
    for owner, name, key in (*kinds, *drawn):
        setattr(owner, name, timed(getattr(owner, name), longest, key))


def timed(function: Callable, longest: dict, key: str) -> Callable:
    """The same function, with its longest run noted."""
    longest[key] = 0.0

    def measured(*arguments, **options):
        begun = clock()
        result = function(*arguments, **options)
        longest[key] = max(longest[key], clock() - begun)
        return result

    return measured


def heavy(app, report: dict) -> Iterator:
    """Generate and Queue More with 100 000 triangles in view, while a job runs."""
    sample_scene.boulder(HEAVY)
    bpy.ops.ed.undo_push(message="add")  # as each deed of an artist's does: Blender's undo may crash on others
    longest = report["longest"]
    earlier = dict(longest)
    longest.update(dict.fromkeys(longest, 0.0))
    bpy.context.evaluated_depsgraph_get()
    pressed = timed(lambda: press("generate"), longest, "press")
    for _ in range(3):
        before = len(app.session.tasks)
        pressed()
        yield lambda before=before: len(app.session.tasks) > before
    yield lambda: not app.session.waiting
    yield lambda: all(task.received for task in app.session.tasks if task.job.state == "done")  # or it is still fetched
    report["heavy"] = dict(longest)
    longest.update({key: max(value, earlier.get(key, 0.0)) for key, value in longest.items()})
    bpy.data.objects.remove(bpy.data.objects["Sphere"])
    bpy.ops.ed.undo_push(message="delete")
