# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera as it stood: where, how turned, and its lens, as a history keeps them. No bpy."""

from dataclasses import dataclass, fields
from typing import Annotated, Literal

from ..protocol.blockout import Name
from ..protocol.strict_json import Length

Matrix = Annotated[tuple[float, ...], Length(16, 16)]


@dataclass(frozen=True, kw_only=True)
class CameraPose:
    """A camera as it stood: its name, ``matrix`` to the world, row by row, and its lens by Blender's names."""

    camera: Name
    matrix: Matrix
    type: Literal["PERSP", "ORTHO"]
    sensor_fit: Literal["AUTO", "HORIZONTAL", "VERTICAL"]
    lens: float
    sensor_width: float
    sensor_height: float
    shift_x: float
    shift_y: float
    ortho_scale: float


LENS = tuple(field.name for field in fields(CameraPose))[2:]  # what Blender keeps with the camera's data
