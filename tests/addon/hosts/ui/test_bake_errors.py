# SPDX-License-Identifier: MIT
"""A bake in slices that meets an error of ours: it is over, and the panel says so."""

from types import SimpleNamespace

import bpy
import pytest

from addon.cooperative import Slices
from addon.runtime.app import App
from addon.ui.operators.scene.bake import BakeProjections


def stumbling() -> Slices[None]:
    """Work that goes wrong as nobody has thought of."""
    yield
    raise ZeroDivisionError("ours")


def test_an_error_of_ours_ends_the_bake(application: App) -> None:
    # Operators run in slices in a window alone: this is what Blender hands to theirs.
    timer = bpy.context.window_manager.event_timer_add(1.0, window=None)
    operator = SimpleNamespace(_work=stumbling(), _timer=timer)
    operator.cancel = lambda context: BakeProjections.cancel(operator, context)
    application.is_baking = True
    with pytest.raises(ZeroDivisionError):
        BakeProjections.modal(operator, bpy.context, SimpleNamespace(type="TIMER", value="NOTHING"))
    assert not application.is_baking
