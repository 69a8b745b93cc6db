# SPDX-License-Identifier: GPL-3.0-or-later
"""Maquette in Blender: block a scene out, get the picture that obeys it."""

from collections.abc import Sequence
from types import ModuleType


def register() -> None:
    """Make the add-on's classes, properties and timer known to Blender."""
    for room in _rooms():
        room.register()


def unregister() -> None:
    """Take them away in the opposite order."""
    for room in reversed(_rooms()):
        room.unregister()


def _rooms() -> Sequence[ModuleType]:
    # bpy exists only inside Blender
    from . import album, live, operators, overlay, panels, pictures, preferences, properties, pump, receiving, viewer
    from .operators import revisiting

    rooms = preferences, pump, properties, album, live, overlay, operators, pictures, receiving, revisiting
    return *rooms, viewer, panels
