# SPDX-License-Identifier: GPL-3.0-or-later
"""Maquette in Blender: block a scene out, get the picture that obeys it."""

from collections.abc import Sequence
from types import ModuleType


def register() -> None:
    """Make the add-on's classes, properties and timer known to Blender."""
    for module in _modules():
        module.register()


def unregister() -> None:
    """Take them away in the opposite order."""
    for module in reversed(_modules()):
        module.unregister()


def _modules() -> Sequence[ModuleType]:
    # bpy exists only inside Blender
    from .overlay import handlers, scene_watcher
    from .pictures import gallery
    from .runtime import preferences, timers
    from .ui import image_editor, operators, panels, properties

    return preferences, timers, properties, gallery, scene_watcher, handlers, operators, image_editor, panels
