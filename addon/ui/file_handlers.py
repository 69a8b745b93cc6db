# SPDX-License-Identifier: GPL-3.0-or-later
"""Files dropped into Blender. A PNG of somebody else's is an image, so that ours go onto the sidebar."""

import bpy

from .context import Context
from .operators.request.open_file import OpenRequest


class MAQUETTE_FH_request(bpy.types.FileHandler):
    """Requests and pictures of ours, dropped onto the sidebar of a 3D View or Image Editor."""

    bl_idname = "MAQUETTE_FH_request"
    bl_label = "Maquette Request"
    bl_import_operator = OpenRequest.bl_idname
    bl_file_extensions = ".png;.json"

    @classmethod
    def poll_drop(cls, context: Context) -> bool:
        """Whether the pointer is over such a sidebar."""
        area, region = context.area, context.region
        return (
            area is not None and area.type in {"VIEW_3D", "IMAGE_EDITOR"} and region is not None and region.type == "UI"
        )


def register() -> None:
    """Have Blender ask us for such files."""
    bpy.utils.register_class(MAQUETTE_FH_request)


def unregister() -> None:
    """Have Blender ask no more."""
    bpy.utils.unregister_class(MAQUETTE_FH_request)
