# SPDX-License-Identifier: GPL-3.0-or-later
"""Live's own settings, which belong to the window and to no file, and the scene's as its pictures have them."""

from dataclasses import replace
from typing import Any

import bpy
from bpy.props import FloatProperty, IntProperty

from ..capture.scene_settings import read
from ..custom_properties import declare
from ..overlay.backdrop import OPACITY
from ..overlay.handlers import redraw_views
from ..protocol.blockout import Blockout
from ..request.settings import KEYS, SEEDS, Settings
from ..runtime.windows import window_manager
from .stored_property import declared

STEPS, SIZE = "maquette_live_steps", "maquette_live_size"  # of Live's pictures, on the window manager
FEW, FRESH = 4, 2  # steps where the artist chose no other number; times as many where nothing is followed
SHAPED = ("emphasis", "noise")  # settings that place things beside the guidance
BY_STEPS = ("strength", *SHAPED)  # and those whose defaults suit a number of steps: the panel's do not suit Live's


def live_changes(scene: bpy.types.Scene) -> dict[str, Any]:
    """How the settings of Live's pictures differ from the panel's. One that follows no other takes twice the steps: all
    that come after it look as it does."""
    manager, unset = window_manager(), {name: None for name in BY_STEPS if scene.get(KEYS[name]) is None}
    size = {"size": getattr(manager, SIZE), "exact": False, "refinement": 0.0}
    return {"steps": FRESH * getattr(manager, STEPS), **size, **unset}


def following_few(scene: bpy.types.Scene, request: Blockout) -> Blockout:
    """A request that follows a picture, in few steps: what it follows places things, so that nothing else needs to that
    the artist did not set."""
    unset: dict[str, Any] = {name: 0 for name in SHAPED if scene.get(KEYS[name]) is None}
    return replace(request, steps=getattr(window_manager(), STEPS), refinement=0.0, **unset)


def live_settings(scene: bpy.types.Scene) -> Settings:
    """The settings of Live's next picture, but for the seeds, which the artist's own pictures move on."""
    return replace(read(scene), **live_changes(scene), seed=0, variation=0.0, variation_seed=0)


def seeds_of(scene: bpy.types.Scene) -> tuple[object, ...]:
    """The scene's seeds, in one value."""
    return tuple(scene.get(KEYS[name]) for name in sorted(SEEDS))


def register() -> None:
    """Declare them."""
    declare(bpy.types.WindowManager, STEPS, _steps)
    declare(bpy.types.WindowManager, SIZE, _size)
    declare(bpy.types.WindowManager, OPACITY, _opacity)


def unregister() -> None:
    """Take them away again."""
    for name in (OPACITY, SIZE, STEPS):
        delattr(bpy.types.WindowManager, name)


def _steps() -> object:
    description = "Of Live's pictures; fewer come sooner. One that follows no other takes twice as many"
    return declared(IntProperty, name="Steps", description=description, default=FEW, min=1, max=100)


def _size() -> object:
    description = "Of the model's own picture size; smaller pictures come sooner"
    return declared(
        IntProperty, name="Size", description=description, default=100, min=25, max=100, subtype="PERCENTAGE"
    )


def _opacity() -> object:
    return declared(
        FloatProperty,
        name="Opacity",
        description="How much of the scene Live's picture hides",
        default=0.85,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        update=lambda manager, context: redraw_views(),
    )
