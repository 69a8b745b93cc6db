# SPDX-License-Identifier: GPL-3.0-or-later
"""The artist's settings in a scene: read from it, and written back."""

from collections.abc import Mapping
from typing import Any

import bpy

from ..protocol.blockout import AdapterFile, ControlNet, LoraFile
from ..protocol.strict_json import ContractError
from ..request.settings import (
    ADDED,
    CONTROL,
    DECODER,
    DEFAULTS,
    KEYS,
    RECORDS,
    Settings,
    as_text,
    control_from,
    loras_from,
    vae_from,
)


def read(scene: bpy.types.Scene) -> Settings:
    """What is set in a scene.

    By the properties of the panel, where there are any: they have the defaults of the chosen model, and the precision
    that the artist sees. A Blender without this add-on has custom properties of the same names.
    """
    values = {name: scene.get(key, getattr(DEFAULTS, name)) for name, key in KEYS.items()}
    plain = {name: getattr(scene, KEYS[name], value) for name, value in values.items() if name not in RECORDS}
    plain |= {"scheduler": plain["scheduler"] or None}
    return Settings(**plain, loras=loras(scene), vae=vae(scene), control=control(scene))


def loras(scene: bpy.types.Scene) -> tuple[LoraFile, ...]:
    """The LoRAs that are set in a scene; none where what is set there cannot be read."""
    try:
        return loras_from(scene.get(ADDED, "[]"))
    except (ContractError, TypeError):  # of a later version, or of a hand
        return ()


def vae(scene: bpy.types.Scene) -> AdapterFile | None:
    """The autoencoder that is set in a scene; the model's own where none is, or what is cannot be read."""
    try:
        text = scene.get(DECODER, "")
        return vae_from(text) if text else None
    except (ContractError, TypeError):
        return None


def control(scene: bpy.types.Scene) -> ControlNet | None:
    """The ControlNet that is set in a scene; None where none is, or what is cannot be read."""
    try:
        text = scene.get(CONTROL, "")
        return control_from(text) if text else None
    except (ContractError, TypeError, ValueError, AttributeError):
        return None


def write(scene: bpy.types.Scene, changes: Mapping[str, Any]) -> None:
    """Set what has a property of the scene, None as what was never set; the rest stays."""
    for name, key in KEYS.items():
        if name in changes and changes[name] in (None, ()):
            scene.pop(key, None)
        elif name in changes:
            scene[key] = as_text(changes[name]) if name in RECORDS else changes[name]
