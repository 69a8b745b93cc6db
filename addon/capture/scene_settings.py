# SPDX-License-Identifier: GPL-3.0-or-later
"""The artist's settings in a scene: read from it, and written back."""

from collections.abc import Mapping
from typing import Any

import bpy

from ..request.settings import DEFAULTS, KEYS, Settings


def read(scene: bpy.types.Scene) -> Settings:
    """What is set in a scene.

    By the properties of the panel, where there are any: they have the defaults of the chosen model, and the precision
    that the artist sees. A Blender without this add-on has custom properties of the same names.
    """
    values = {name: scene.get(key, getattr(DEFAULTS, name)) for name, key in KEYS.items()}
    return Settings(**{name: getattr(scene, KEYS[name], value) for name, value in values.items()})


def write(scene: bpy.types.Scene, changes: Mapping[str, Any]) -> None:
    """Set what has a property of the scene, None as what was never set; the rest stays."""
    for name, key in KEYS.items():
        if name in changes and changes[name] is None:
            scene.pop(key, None)
        elif name in changes:
            scene[key] = changes[name]
