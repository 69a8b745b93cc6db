# SPDX-License-Identifier: MIT
"""Heavy scenes: many triangles in many objects, and as many in one."""

from math import ceil, sqrt

import bpy

from addon.regions.marks import mark, marked
from addon.request.settings import PROMPT
from benchmarks.stress import ball, box, current_scene, with_camera

COLUMNS = 5


def many(triangles: int, objects: int = 20) -> None:
    """So many triangles in so many balls, in rows, each a mesh of its own; three of them are regions."""
    scene = _new()
    rings = ceil(sqrt(triangles / objects / 4))
    for number in range(objects):
        row, column = divmod(number, COLUMNS)
        ball(f"ball {number}", (1.6 * (column - 2), 2.5 * row, 0.8 * row - 1.4), 0.75, rings)
    for number, name in enumerate(("castle", "rocket", "ball")):
        scene.objects[f"ball {2 * number}"].name = name
        mark(scene.objects[name])
    scene[PROMPT] = "a castle, a rocket and a ball on a meadow"


def one(triangles: int) -> None:
    """So many triangles in one ball, a region, and a box beside it."""
    scene = _new()
    mark(ball("ball", (-1.0, 0.0, 0.0), 1.8, ceil(sqrt(triangles / 4))))
    mark(box("castle", (2.4, 0.0, 0.0), (1.5, 1.5, 3.0)))
    scene[PROMPT] = "a ball and a castle on a meadow"


def regions() -> list[bpy.types.Object | bpy.types.Collection]:
    """What is marked in the current scene."""
    return [item for item, _ in marked(current_scene())]


def _new() -> bpy.types.Scene:
    """A new file that leaves the preferences as they are, and so the add-on enabled."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    return with_camera(current_scene())
