# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons do. Each operator is one step an artist can undo."""

import bpy

from . import fixes, server
from .picture import history, receive, result, reuse
from .request import generate, model_and_style, prompt
from .scene import camera, projections, regions

MODULES = (
    server,
    regions,
    camera,
    projections,
    prompt,
    generate,
    model_and_style,
    receive,
    result,
    reuse,
    history,
    fixes,
)
register, unregister = bpy.utils.register_classes_factory(
    [operator for module in MODULES for operator in module.CLASSES]
)
