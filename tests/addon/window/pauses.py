# SPDX-License-Identifier: MIT
"""How long the add-on holds Blender's main thread: its timer, the taking in of a picture, and the press of Generate."""

import time
from collections.abc import Callable, Iterator

import bpy
import stage
from hands import press

HEAVY = 100_000  # triangles


def watch(pump, report: dict) -> None:
    """Seconds of the main thread's own time that the add-on takes; what other processes take is not its doing."""
    report["longest"] = {"tick": 0.0, "receive": 0.0}
    for owner, name, key in ((pump.Pump, "once", "tick"), (pump, "receive", "receive")):
        setattr(owner, name, timed(getattr(owner, name), report["longest"], key))


def timed(function: Callable, longest: dict, key: str) -> Callable:
    """The same function, with its longest run noted."""

    def measured(*arguments):
        begun = time.thread_time()
        result = function(*arguments)
        longest[key] = max(longest[key], time.thread_time() - begun)
        return result

    return measured


def heavy(desk, report: dict) -> Iterator:
    """Generate and Queue More with 100 000 triangles in view, while a job runs."""
    stage.boulder(HEAVY)
    longest = report["heavy"] = {"press": 0.0, "tick": 0.0, "receive": 0.0}
    earlier = dict(report["longest"])
    report["longest"].update({"tick": 0.0, "receive": 0.0})
    bpy.context.evaluated_depsgraph_get()
    for _ in range(3):
        known = len(desk.session.tasks)
        begun = time.thread_time()
        press("generate")
        longest["press"] = max(longest["press"], time.thread_time() - begun)
        yield lambda known=known: len(desk.session.tasks) > known
    yield lambda: not desk.session.waiting and not desk.session.landed
    longest.update(report["longest"])
    report["longest"].update({key: max(value, earlier[key]) for key, value in longest.items() if key in earlier})
    bpy.data.objects.remove(bpy.data.objects["Sphere"])
