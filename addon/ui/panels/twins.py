# SPDX-License-Identifier: GPL-3.0-or-later
"""The same panels in the Image Editor, where the picture is."""

from collections.abc import Callable, Sequence

import bpy

from ...runtime.windows import EDITOR
from ..context import Context

KEPT = ("__module__", "__doc__")  # of what Python and Blender add to a class


def twins(panels: Sequence[type[bpy.types.Panel]]) -> tuple[type[bpy.types.Panel], ...]:
    """For each panel of the 3D View one for the Image Editor, to be registered in the same order."""
    return tuple(_twin(panel) for panel in panels)


def _twin(panel: type[bpy.types.Panel]) -> type[bpy.types.Panel]:
    """The panel again, under a name of its own: Blender knows a panel by its name in one editor only."""
    own = {key: value for key, value in vars(panel).items() if not key.startswith("__") or key in KEPT}
    own |= {"bl_space_type": "IMAGE_EDITOR", "bl_idname": _named(panel.__name__), "poll": classmethod(_poll(panel))}
    if "bl_parent_id" in own:
        own["bl_parent_id"] = _named(own["bl_parent_id"])
    return type(_named(panel.__name__), panel.__bases__, own)


def _named(name: str) -> str:
    return name.replace("_PT_", "_PT_image_")


def _poll(panel: type[bpy.types.Panel]) -> Callable[[type, Context], bool]:
    polls: Callable[[Context], bool] | None = getattr(panel, "poll", None)

    def poll(cls: type, context: Context) -> bool:
        """In Image Editors, which share their type with UV Editors, and where the panel itself would show."""
        there = context.area is not None and context.area.ui_type == EDITOR
        return there and (polls is None or polls(context))

    return poll
