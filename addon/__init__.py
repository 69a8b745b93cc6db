# SPDX-License-Identifier: GPL-3.0-or-later
"""Maquette in Blender: block a scene out, get the picture that obeys it."""

from collections.abc import Sequence
from types import ModuleType


def register() -> None:
    """Make the add-on's classes and properties known to Blender, and start what it runs."""
    # bpy exists only inside Blender
    from .overlay.handlers import Overlay
    from .runtime import app, preferences, timers
    from .ui.operators.picture.receive import receive

    preferences.register()
    app.register(receive, Overlay)
    timers.register()
    for module in _modules():
        module.register()


def unregister() -> None:
    """Take them away in the opposite order."""
    from .runtime import app, preferences, timers

    for module in reversed(_modules()):
        module.unregister()
    timers.unregister()
    app.unregister()
    preferences.unregister()


def _modules() -> Sequence[ModuleType]:
    from .overlay import handlers
    from .pictures import gallery
    from .ui import (
        file_handlers,
        gizmos,
        image_editor,
        live_settings,
        live_view,
        operators,
        panels,
        properties,
        sheet_views,
        undo,
    )

    views = (image_editor, sheet_views, gizmos, undo, live_settings, live_view)
    return properties, gallery, handlers, operators, file_handlers, *views, panels
