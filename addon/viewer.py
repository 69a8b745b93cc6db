# SPDX-License-Identifier: GPL-3.0-or-later
"""Image Editors that are empty or show a picture of ours show, while one is being painted, how it develops.

Drawn over the editor; its image stays what it is.
"""

import bpy
from gpu_extras.presets import draw_texture_2d

from .pictures import EDITOR, ours
from .pump import desk


def register() -> None:
    """Draw in Image Editors from now on. In the background there are none."""
    if not bpy.app.background:
        desk().drawing = bpy.types.SpaceImageEditor.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")


def unregister() -> None:
    """Draw no more."""
    if desk().drawing is not None:
        bpy.types.SpaceImageEditor.draw_handler_remove(desk().drawing, "WINDOW")


def _draw() -> None:
    texture = desk().darkroom.texture
    if texture is None or bpy.context.area.ui_type != EDITOR or not ours(bpy.context.space_data.image):
        return
    view = bpy.context.region.view2d
    left, bottom = view.view_to_region(0.0, 0.0, clip=False)
    right, top = view.view_to_region(1.0, 1.0, clip=False)
    width, height = fitted(right - left, top - bottom, texture.width / texture.height)
    corner = (left + (right - left - width) / 2, bottom + (top - bottom - height) / 2)
    draw_texture_2d(texture, corner, width, height)


def fitted(width: float, height: float, aspect: float) -> tuple[float, float]:
    """The largest width and height of this aspect inside a rectangle."""
    return (width, width / aspect) if width / height <= aspect else (height * aspect, height)
