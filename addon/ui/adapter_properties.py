# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights of a scene's LoRAs as a property, for sliders. What a .blend holds is the LoRAs themselves."""

from collections.abc import Sequence
from dataclasses import replace

import bpy
from bpy.props import FloatVectorProperty

from ..capture.scene_settings import loras, write
from ..protocol.blockout import LORAS
from .stored_property import declared

WEIGHTS = "maquette_lora_weights"


def of_adapters() -> dict[str, object]:
    """The property for scenes: a number for each row."""
    return {
        WEIGHTS: declared(
            FloatVectorProperty,
            name="Weight",
            description="How much of the LoRA is added: 1 is as it was trained, 0 nothing of it, below that against it",
            size=LORAS,
            min=-10.0,
            max=10.0,
            soft_min=-1.0,
            soft_max=2.0,
            step=5,
            options=set(),
            get=_weights,
            set=_weigh,
        ),
    }


def _weights(scene: bpy.types.Scene) -> list[float]:
    weights = [lora.weight for lora in loras(scene)]
    return weights + [1.0] * (LORAS - len(weights))


def _weigh(scene: bpy.types.Scene, weights: Sequence[float]) -> None:
    pairs = zip(loras(scene), weights, strict=False)
    write(scene, {"loras": tuple(replace(lora, weight=shortest(weight)) for lora, weight in pairs)})


def shortest(weight: float) -> float:
    """A number of Blender's, which are of 32 bits, as it was typed."""
    return float(f"{weight:.6g}")
