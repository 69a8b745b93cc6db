# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons do. Each operator is one step an artist can undo."""

import bpy

from . import fixes, installation, models, server
from .picture import compare, contact_sheet, footage, history, inspection, receive, result, reuse, vary
from .request import (
    adapters,
    collage,
    generate,
    live,
    model_and_style,
    open_file,
    prompt,
    references,
    sequences,
    waiting,
)
from .scene import bake, camera, paint_views, projections, regions

MODULES = (
    server,
    installation,
    models,
    regions,
    camera,
    projections,
    bake,
    paint_views,
    prompt,
    generate,
    references,
    collage,
    live,
    sequences,
    waiting,
    open_file,
    model_and_style,
    adapters,
    receive,
    result,
    reuse,
    history,
    vary,
    contact_sheet,
    compare,
    inspection,
    footage,
    fixes,
)
OPERATORS: tuple[type[bpy.types.Operator], ...] = tuple(kind for module in MODULES for kind in module.CLASSES)


def register() -> None:
    """Have Blender know the operators."""
    for kind in OPERATORS:
        bpy.utils.register_class(kind)


def unregister() -> None:
    """Have Blender forget them."""
    for kind in reversed(OPERATORS):
        bpy.utils.unregister_class(kind)
