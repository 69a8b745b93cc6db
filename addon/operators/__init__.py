# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons do, a file a panel. Each operator is one step an artist can undo."""

import bpy

from . import choices, connection, cures, history, picture, regions, views

CLASSES = (
    *connection.CLASSES,
    *regions.CLASSES,
    *picture.CLASSES,
    *choices.CLASSES,
    *views.CLASSES,
    *cures.CLASSES,
    *history.CLASSES,
)
register, unregister = bpy.utils.register_classes_factory(CLASSES)
