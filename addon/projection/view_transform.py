# SPDX-License-Identifier: GPL-3.0-or-later
"""How a scene shows colours: projected pictures look as in the Image Editor where it shows them as they are."""

import bpy

from ..compat import white_balance

STANDARD = "Standard"
CYCLES = "CYCLES"


def altering(scene: bpy.types.Scene) -> str:
    """What of the scene's colour management alters the colours of what is projected; "" where nothing does."""
    view = scene.view_settings
    if view.view_transform != STANDARD:
        return str(view.view_transform)
    if view.look not in ("None", ""):
        return f"the look {view.look}"
    if view.use_curve_mapping:
        return "curves"
    if white_balance(view):
        return "white balance"
    exposed = scene.render.engine == CYCLES and scene.cycles.film_exposure != 1.0
    return "exposure or gamma" if exposed or (view.exposure, view.gamma) != (0.0, 1.0) else ""


def show_as_is(scene: bpy.types.Scene) -> None:
    """Have the scene show colours as they are."""
    view = scene.view_settings
    view.view_transform, view.look = STANDARD, "None"
    view.exposure, view.gamma, view.use_curve_mapping = 0.0, 1.0, False
    if white_balance(view):
        view.use_white_balance = False
    if scene.render.engine == CYCLES:
        scene.cycles.film_exposure = 1.0
