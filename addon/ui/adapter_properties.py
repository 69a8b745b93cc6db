# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene's weights of LoRAs, and its ControlNet's scale and end, as properties for sliders. A .blend holds those files
alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import bpy
from bpy.props import FloatProperty, FloatVectorProperty

from ..capture.scene_settings import control, loras, write
from ..protocol.blockout import LORAS
from .stored_property import declared

WEIGHTS, CONTROL_SCALE, CONTROL_UNTIL = "maquette_lora_weights", "maquette_control_scale", "maquette_control_until"


def of_adapters() -> dict[str, object]:
    """The properties for scenes: a number for each row."""
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
        CONTROL_SCALE: declared(
            FloatProperty,
            name="Scale",
            description="How much the ControlNet adds beside the blocks' own pull: 1 is as it was trained, 0 nothing",
            min=0.0,
            max=2.0,
            step=5,
            options=set(),
            **_of_control("scale"),
        ),
        CONTROL_UNTIL: declared(
            FloatProperty,
            name="Until",
            description="For how much of the steps the ControlNet is heard: 1 is all of them, less leaves the details"
            " to the words",
            min=0.0,
            max=1.0,
            step=5,
            options=set(),
            **_of_control("until"),
        ),
    }


def _weights(scene: bpy.types.Scene) -> list[float]:
    weights = [lora.weight for lora in loras(scene)]
    return weights + [1.0] * (LORAS - len(weights))


def _weigh(scene: bpy.types.Scene, weights: Sequence[float]) -> None:
    pairs = zip(loras(scene), weights, strict=False)
    write(scene, {"loras": tuple(replace(lora, weight=shortest(weight)) for lora, weight in pairs)})


def _of_control(name: str) -> dict[str, Callable[..., Any]]:
    """How a number of the ControlNet is read and written; 1 while a scene has none."""

    def read(scene: bpy.types.Scene) -> float:
        chosen = control(scene)
        return float(getattr(chosen, name)) if chosen else 1.0

    def change(scene: bpy.types.Scene, number: float) -> None:
        if chosen := control(scene):
            changed: dict[str, Any] = {name: shortest(number)}
            write(scene, {"control": replace(chosen, **changed)})

    return {"get": read, "set": change}


def shortest(weight: float) -> float:
    """A number of Blender's, which are of 32 bits, as it was typed."""
    return float(f"{weight:.6g}")
