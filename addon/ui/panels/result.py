# SPDX-License-Identifier: GPL-3.0-or-later
"""The last picture, and what to do with it."""

import bpy

from ...pictures.image import ENTRY
from ..context import Context
from ..image_editor import current
from .widgets import Tab


class MAQUETTE_PT_result(Tab, bpy.types.Panel):
    """The last picture, and what to do with it."""

    bl_label = "Result"
    bl_parent_id = "MAQUETTE_PT_main"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Only once there is a picture."""
        return current(context.scene) is not None

    def draw(self, context: Context) -> None:
        """The picture, and where it can go."""
        image = current(context.scene)
        if image is not None and image.preview is not None:
            self.layout.template_icon(icon_value=image.preview.icon_id, scale=8.0)
        column = self.layout.column(align=True)
        column.operator("maquette.show", icon="IMAGE_DATA")
        column.operator("maquette.background", icon="CAMERA_DATA")
        column.operator("maquette.project", icon="MOD_UVPROJECT")
        entry = image.get(ENTRY) if image is not None else None
        if entry is not None:
            column.operator("maquette.vary_entry", text="Vary…", icon="MOD_NOISE").name = entry
